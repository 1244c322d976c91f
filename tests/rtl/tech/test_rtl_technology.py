"""Technologies by name: the embedded one, added ones, found ones; and what makes a library unusable."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_liberty import TEXT
from typer.testing import CliRunner

from archgym.errors import InvalidInput, StoreError, UnknownName
from archgym.rtl.tech.cli import app
from archgym.rtl.tech.discovery import find_installed
from archgym.rtl.tech.liberty import LibertyError
from archgym.rtl.tech.registry import registry_file
from archgym.rtl.tech.technology import add, remove, technologies, technology

GATE = """
  cell ({name}) {{
    area : {area};
    pin ({pins}) {{ direction : input; capacitance : {capacitance}; }}
    pin (Y) {{ direction : output; function : "{function}";
      timing () {{ related_pin : A; rise_transition (scalar) {{ values ("{slew}"); }} }} }}
  }}
"""
HEAD = "library (small) {\n  capacitive_load_unit (1, ff);\n  nom_voltage : 1.1;\n"
FLOP = """
  cell (DFF) { area : 8; ff (IQ, IQN) { clocked_on : "C"; next_state : "D"; clear : "!R"; }
    pin (C, D, R) { direction : input; } pin (Q) { direction : output; function : "IQ"; } }
"""


def gate(name, area, function, pins="A", capacitance=1.5, slew=1.0):
    return GATE.format(name=name, area=area, function=function, pins=pins, capacitance=capacitance, slew=slew)


GATES = {
    "NAND_BIG": gate("NAND_BIG", 3, "!(A B)", "A, B"),
    "NAND": gate("NAND", 2, "(!A)|(!B)", "A, B"),  # a NAND in another form
    "AND": gate("AND", 1, "A&B", "A, B"),
    "NOR": gate("NOR", 1.5, "!(A|B)", "A, B"),
    "CLKINV": gate("CLKINV", 1, "!A", capacitance=9),
    "INV": gate("INV", 1, "!A", capacitance=2),
    "DELAY": gate("DELAY", 2, "A", slew=5),
    "BUF": gate("BUF", 2.5, "A", slew=1),
    "BUF_BIG": gate("BUF_BIG", 4, "A", slew=0.1),
    "DFF": FLOP,
}


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("ARCHGYM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PDK_ROOT", raising=False)
    monkeypatch.delenv("FLOW_HOME", raising=False)


def write(tmp_path: Path, without: tuple[str, ...] = ()) -> Path:
    file = tmp_path / "small.lib"
    file.write_text(HEAD + "".join(text for name, text in GATES.items() if name not in without) + "}\n")
    return file


def test_reference_cells_are_chosen_by_function_and_area(tmp_path):
    found = technology(write(tmp_path))
    assert found.name == "small"
    assert found.source == "file"
    assert found.nand2 == "NAND"
    assert found.nand2_um2 == 2
    assert found.inverter == "INV"  # as small as CLKINV, and the plainer name
    assert found.driver == "BUF"  # DELAY is smaller and slow, BUF_BIG more than half larger
    assert found.load_ff == pytest.approx(8.0)  # four inverters of 2 fF
    assert found.voltage_v == 1.1


def test_what_is_not_there_is_replaced_by_the_next_best(tmp_path):
    assert technology(write(tmp_path, ("NAND", "NAND_BIG"))).nand2 == "NOR"
    assert technology(write(tmp_path, ("DELAY", "BUF", "BUF_BIG"))).driver == "INV"


@pytest.mark.parametrize(
    ("without", "message"),
    [
        (("DFF",), "technology small: no flip-flop in .*small.lib: registers have nothing to map to; give all files"),
        (("INV", "CLKINV"), "no inverter in .*: logic cannot be inverted"),
        (("NAND", "NAND_BIG", "NOR"), "no NAND or NOR of two inputs in .*: gates have nothing to map to"),
    ],
)
def test_a_library_that_lacks_something_says_what(tmp_path, without, message):
    with pytest.raises(LibertyError, match=message):
        _ = technology(write(tmp_path, without)).library


def test_cells_that_must_not_be_used_do_not_count(tmp_path):
    file = tmp_path / "tiny.lib"
    file.write_text(TEXT)  # its flip-flop is dont_use, its latch is no flip-flop
    with pytest.raises(LibertyError, match="no flip-flop"):
        _ = technology(file).library


def test_names_paths_and_mistakes(tmp_path):
    assert technology().name == "generic45"
    assert technology(str(write(tmp_path))).paths == ((tmp_path / "small.lib").resolve(),)
    with pytest.raises(UnknownName, match="did you mean 'generic45'"):
        technology("generic54")
    with pytest.raises(LibertyError, match=r"missing\.lib: there is no such Liberty file; give a \.lib"):
        technology("missing.lib")
    with pytest.raises(LibertyError, match="no such Liberty file"):
        technology(tmp_path / "none")


def test_a_library_is_read_once_and_again_when_its_file_changes(tmp_path):
    path = write(tmp_path)
    found = technology(path)
    assert technology(path) is found
    assert technology(path).library is found.library
    path.write_text(path.read_text().replace("nom_voltage : 1.1;", "nom_voltage : 1.25;"))
    assert technology(path).voltage_v == 1.25
    assert found.voltage_v == 1.1


def test_added_technologies_are_kept_by_absolute_path(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    add("mine", ["small.lib"], 65)
    monkeypatch.chdir("/")
    assert registry_file() == tmp_path / "config/archgym/technologies.json"
    found = technology("mine")
    assert (found.source, found.node_nm, found.nand2) == ("added", 65, "NAND")
    assert list(technologies(installed=list)) == ["generic45", "mine"]
    remove("mine")
    with pytest.raises(UnknownName):
        technology("mine")
    with pytest.raises(UnknownName, match="added technology"):
        remove("mine")


def test_what_cannot_be_used_is_not_added(tmp_path):
    with pytest.raises(LibertyError):
        add("mine", [write(tmp_path, ("DFF",))])
    with pytest.raises(InvalidInput, match="embedded technology; give another name"):
        add("generic45", [write(tmp_path)])
    with pytest.raises(InvalidInput, match="embedded technology; it cannot be removed"):
        remove("generic45")
    with pytest.raises(InvalidInput, match="a technology's name is letters"):
        add("a/b", [write(tmp_path)])
    assert list(technologies(installed=list)) == ["generic45"]


def test_a_broken_list_is_named(tmp_path):
    registry_file().parent.mkdir(parents=True)
    for text in ("{", "[]", json.dumps({"a": {}})):
        registry_file().write_text(text)
        with pytest.raises(InvalidInput, match=r"technologies\.json is no list of technologies"):
            technologies(installed=list)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "config").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"cannot write the list of technologies|cannot read the list"):
        add("mine", [write(tmp_path)])


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(tmp_path: Path, **variables: str) -> dict[str, tuple[str, ...]]:
    found = find_installed(home=tmp_path / "home", environment=variables, system=tmp_path / "root")
    return {each.name: tuple(path.name for path in each.paths) for each in found}


def test_kits_of_ciel_and_volare_are_found_at_their_typical_corner(tmp_path):
    high_density = "sky130A/libs.ref/sky130_fd_sc_hd/lib"
    for corner in ("tt_025C_1v80", "tt_100C_1v80", "ss_100C_1v60", "tt_025C_1v80_ccsnoise"):
        touch(tmp_path / "home/.ciel" / high_density / f"sky130_fd_sc_hd__{corner}.lib")
    touch(tmp_path / "home/.volare" / high_density / "sky130_fd_sc_hd__tt_025C_1v80.lib")
    touch(tmp_path / "home/.ciel/ihp-sg13g2/libs.ref/sg13g2_stdcell/lib/sg13g2_stdcell_typ_1p20V_25C.lib")
    for volts in ("3v30", "5v00"):
        touch(tmp_path / f"pdk/gf180mcuC/libs.ref/gf180mcu_fd_sc_mcu7t5v0/lib/gf180mcu__tt_025C_{volts}.lib.gz")
    assert names(tmp_path, PDK_ROOT=str(tmp_path / "pdk")) == {
        "gf180mcu_fd_sc_mcu7t5v0": ("gf180mcu__tt_025C_3v30.lib.gz",),
        "gf180mcu__tt_025C_5v00": ("gf180mcu__tt_025C_5v00.lib.gz",),
        "sg13g2_stdcell": ("sg13g2_stdcell_typ_1p20V_25C.lib",),
        "sky130_fd_sc_hd": ("sky130_fd_sc_hd__tt_025C_1v80.lib",),
    }


def test_platforms_of_openroad_are_found(tmp_path):
    platforms = tmp_path / "flow/platforms"
    touch(platforms / "nangate45/lib/NangateOpenCellLibrary_typical.lib")
    touch(platforms / "nangate45/lib/fakeram45_64x32.lib")
    for part in ("AO", "INVBUF", "OA", "SEQ", "SIMPLE"):
        for date in ("211120", "220122"):
            touch(platforms / f"asap7/lib/NLDM/asap7sc7p5t_{part}_RVT_TT_nldm_{date}.lib.gz")
    touch(platforms / "asap7/lib/NLDM/asap7sc7p5t_AO_RVT_FF_nldm_220122.lib.gz")
    found = names(tmp_path, FLOW_HOME=str(tmp_path / "flow"))
    assert found["nangate45"] == ("NangateOpenCellLibrary_typical.lib",)
    assert found["asap7"] == tuple(
        f"asap7sc7p5t_{part}_RVT_TT_nldm_220122.lib.gz" for part in ("AO", "INVBUF", "OA", "SEQ", "SIMPLE")
    )
    (platforms / "asap7/lib/NLDM/asap7sc7p5t_SEQ_RVT_TT_nldm_220122.lib.gz").unlink()
    (platforms / "asap7/lib/NLDM/asap7sc7p5t_SEQ_RVT_TT_nldm_211120.lib.gz").unlink()
    assert "asap7" not in names(tmp_path, FLOW_HOME=str(tmp_path / "flow"))  # without flip-flops it is of no use


def test_packages_of_qflow_are_found(tmp_path):
    touch(tmp_path / "root/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
    touch(tmp_path / "root/usr/share/qflow/tech/osu050/osu05_stdcells.lib")
    found = find_installed(home=tmp_path, environment={}, system=tmp_path / "root")
    assert [(each.name, each.node_nm) for each in found] == [("osu018", 180.0), ("osu050", 500.0)]


def test_an_added_technology_hides_a_found_one(tmp_path):
    touch(tmp_path / "root/usr/share/qflow/tech/osu018/osu018_stdcells.lib")
    installed = find_installed(home=tmp_path, environment={}, system=tmp_path / "root")
    assert technologies(installed=lambda: installed)["osu018"].source == "found"
    add("osu018", [write(tmp_path)])
    assert technologies(installed=lambda: installed)["osu018"].paths == ((tmp_path / "small.lib").resolve(),)


def test_the_commands_list_add_show_and_remove(tmp_path):
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert "generic45" in run("list")
    assert "added mine: 10 cells at 1.1 V" in run("add", "mine", str(write(tmp_path)), "--node", "65")
    listed = next(line for line in run("list").splitlines() if line.startswith("mine"))
    assert listed.split() == ["mine", "65", "added", "archgym", "tech", "add", "small.lib"]
    shown = run("show", "mine")
    assert "NAND, 2 um2" in shown
    assert "8 fF, four of INV" in shown
    assert next(line for line in shown.splitlines() if line.startswith("NAND_BIG")).split()[:3] == [
        "NAND_BIG",
        "3",
        "1.50",
    ]
    assert "flip-flop, IQ <= D at C" in shown
    assert "removed mine" in run("remove", "mine")
    assert "mine" not in run("list")
