"""Liberty files become numbers in ns, fF, fJ, nW and um2; what is wrong with one is said by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from small_liberty import TEXT

from archgym.rtl.tech.liberty import LibertyError, Library, cell_of, read_liberty


def read(tmp_path: Path, text: str) -> Library:
    file = tmp_path / "cells.lib"
    file.write_text(text)
    return read_liberty(file, cache=False)


@pytest.fixture
def tiny(tmp_path):
    return read(tmp_path, TEXT)


def test_facts_of_the_library_are_in_volts_and_fractions(tiny):
    assert tiny.name == "tiny"
    assert tiny.voltage_v == pytest.approx(1.2)  # 12 x 100 mV
    assert tiny.temperature_c == 85
    assert (tiny.slew_low, tiny.slew_high) == (0.1, 0.9)
    assert (tiny.thresholds.low_fall, tiny.thresholds.input_rise) == (0.2, 0.5)
    assert tiny.slew_derate == 0.5
    assert tiny.default_max_slew_ns == pytest.approx(0.03)
    assert list(tiny.cells) == ["NAND", "FLOP", "HOLD"]


def test_pins_are_in_femtofarad(tiny):
    pins = tiny.cells["NAND"].pins
    assert list(pins) == ["A", "B", "Y"]
    assert pins["A"].capacitance_ff == pytest.approx(20.0)  # 0.01 x 2 pF
    assert (pins["B"].rise_ff, pins["B"].fall_ff) == pytest.approx((40.0, 20.0))
    assert pins["B"].max_slew_ns == pytest.approx(0.04)
    assert pins["Y"].max_load_ff == pytest.approx(8000.0)
    assert pins["Y"].function == "!(A&B)"
    assert tiny.cells["FLOP"].pins["CK"].clock


def test_tables_have_the_slew_first(tiny):
    first, second = tiny.cells["NAND"].arcs
    assert (first.related, second.related) == ("A", "B")
    assert (first.kind, first.sense) == ("combinational", "negative")  # the sense follows from the function
    assert_allclose(first.rise.index_1, [0.1, 0.2])
    assert_allclose(first.rise.index_2, [2000, 4000, 8000])
    assert_allclose(first.rise.values, np.array([[1, 3, 5], [2, 4, 6]]) * 0.01)
    assert_allclose(first.fall.index_2, [2000, 6000, 10000])  # its own index hides the template's
    assert first.rise_slew.values.shape == (1, 1)
    assert_allclose(first.rise_slew.values, 0.07)


def test_constraints_have_the_clock_first(tiny):
    (setup,) = tiny.cells["FLOP"].arcs
    assert (setup.pin, setup.related, setup.kind) == ("D", "CK", "setup_falling")
    assert (setup.rise.variable_1, setup.rise.variable_2) == ("related_slew", "constrained_slew")
    assert_allclose(setup.rise.index_1, [0.03, 0.04])
    assert_allclose(setup.rise.index_2, [0.01, 0.02])
    assert_allclose(setup.rise.values, np.array([[1, 3], [2, 4]]) * 0.01)
    assert setup.fall.variable_1 == "related_slew"
    assert_allclose(setup.fall.values, 0.005)


def test_energy_is_in_capacitance_times_volts_squared(tiny):
    (arc,) = tiny.cells["NAND"].power
    assert (arc.pin, arc.related, arc.when, arc.supply) == ("Y", "A", "B", "VDD")
    assert_allclose(arc.rise.values, [[20.0], [40.0]])  # 2000 fF x (0.1 V)^2 = 20 fJ
    assert_allclose(arc.rise.index_1, [0.01, 0.02])
    assert_allclose(arc.fall.values, -20.0)
    (quiet,) = tiny.cells["FLOP"].power
    assert quiet.related is None
    assert quiet.rise is quiet.fall


def test_leakage_by_state_leaves_out_what_ground_pins_repeat(tiny):
    cell = tiny.cells["NAND"]
    assert cell.leakage_nw == pytest.approx(250.0)
    assert dict(cell.leakage_when) == pytest.approx({"A&B": 500.0, "!A": 125.0})


@pytest.mark.parametrize(
    ("attribute", "kept_out"),
    [("is_isolation_cell", True), ("is_level_shifter", True), ("always_on", True), ("is_macro_cell", False)],
)
def test_cells_of_power_management_are_no_logic(tmp_path, attribute, kept_out):
    file = tmp_path / "tiny.lib"
    file.write_text(TEXT.replace("cell (NAND) {", f'cell (NAND) {{ {attribute} : "true";'))
    assert read_liberty(file, cache=False).cells["NAND"].dont_use is kept_out
    file.write_text(TEXT.replace("cell (NAND) {", f'cell (NAND) {{ {attribute} : "false";'))
    assert not read_liberty(file, cache=False).cells["NAND"].dont_use


def test_state_is_told_apart(tiny):
    flop, latch = tiny.cells["FLOP"], tiny.cells["HOLD"]
    assert flop.flop is not None
    assert (flop.flop.clocked_on, flop.flop.next_state, flop.flop.clear, flop.flop.preset) == ("!CK", "D", "!R", None)
    assert (flop.flop.q, flop.flop.qn) == ("IQ", "IQN")
    assert flop.dont_use
    assert not flop.latch
    assert latch.latch
    assert latch.flop is None
    assert latch.pins["Q"].three_state == "!G"
    assert "X" not in flop.pins  # the pins of a test_cell are not the cell's


@pytest.mark.parametrize(("fanout", "length"), [(0, 0.0), (1, 1.0), (2, 3.0), (3, 5.0), (4, 7.0), (10, 19.0)])
def test_wire_load_is_linear_between_entries_and_has_a_slope_beyond(tiny, fanout, length):
    assert tiny.wire_load_ff(fanout) == pytest.approx(1000.0 * length)  # 0.5 x 2 pF per length


def test_packed_files_and_crlf_read_alike(tmp_path, tiny):
    packed = tmp_path / "cells.lib.gz"
    packed.write_bytes(gzip.compress(TEXT.replace("\n", "\r\n").encode()))
    again = read_liberty(packed, cache=False)
    assert_allclose(again.cells["NAND"].arcs[0].rise.values, tiny.cells["NAND"].arcs[0].rise.values)


def test_several_files_make_one_library(tmp_path):
    head, _, rest = TEXT.partition("  cell (FLOP) {")
    flop, _, latch = rest.partition("  cell (HOLD) {")
    common = head.partition("  cell (NAND) {")[0]
    parts = [head + "}", common + "  cell (FLOP) {" + flop + "}", common + "  cell (HOLD) {" + latch]
    files = [tmp_path / f"{index}.lib" for index in range(3)]
    for file, text in zip(files, parts, strict=True):
        file.write_text(text)
    found = read_liberty(files, cache=False)
    assert list(found.cells) == ["NAND", "FLOP", "HOLD"]
    assert found.sources == tuple(file.resolve() for file in files)
    files[1].write_text(parts[1].replace("nom_voltage : 12.0", "nom_voltage : 11.0"))
    with pytest.raises(LibertyError, match=r"1\.1 V and 1\.2.* V; give parts of one library and corner"):
        read_liberty(files, cache=False)
    files[1].write_text(parts[1].replace("pct_rise : 10;", "pct_rise : 30;"))
    with pytest.raises(LibertyError, match="measure slews differently"):
        read_liberty(files, cache=False)


def line_of(words: str) -> int:
    return TEXT[: TEXT.index(words)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('time_unit : "10ps"', 'time_unit : "10parsec"', "time_unit '10parsec' is no unit; expected"),
        ("capacitive_load_unit (2, pf)", "capacitive_load_unit (2, pint)", "capacitive_load_unit '2pint' is no unit"),
        ('leakage_power_unit : "1uW"', 'leakage_power_unit : "1MW"', "no unit of a cell library"),
        ("delay_model : table_lookup", "delay_model : polynomial", "'polynomial' is not supported; use"),
        ("area : 2.5", "area : large", "cell .NAND.: area must be a number, got 'large'"),
        ("area : 2.5", "area : -2.5", "area must not be negative"),
        ('values ("7")', 'values ("seven")', "a table needs numbers"),
        ('values ("7")', 'values ("nan")', "a table needs finite numbers"),
        ('values ("7")', 'values ("7, 8")', "2 values, 1 expected by the indices"),
        ('index_1 ("1, 3, 5")', 'index_1 ("1, 5, 3")', "an index must ascend"),
        (
            "fall_transition (both)",
            "fall_transition (missing)",
            "template 'missing' is not in the library; templates: both",
        ),
        (
            "variable_1 : total_output",
            "variable_1 : untotal_output",
            "is not supported; supported: input_net_transition",
        ),
        (
            'related_pin : "A B"',
            'timing_sense : up; related_pin : "A B"',
            "timing_sense 'up' is not one of positive_unate",
        ),
        ("ff (IQ, IQN)", "ff (IQ)", "a flip-flop needs two state names"),
        ("fanout_length (3, 5)", "fanout_length (three)", "fanout_length needs a fanout and a length"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(tmp_path, old, new, message):
    assert old in TEXT
    with pytest.raises(LibertyError, match=rf"cells\.lib:\d+: .*{message}"):
        read(tmp_path, TEXT.replace(old, new, 1))


def test_the_line_is_the_one_of_the_group(tmp_path):
    with pytest.raises(LibertyError, match=rf"cells\.lib:{line_of('fall_transition (both)')}: fall_transition"):
        read(tmp_path, TEXT.replace("fall_transition (both)", "fall_transition (missing)"))


def test_a_file_that_ends_too_early_is_truncated_wherever_it_ends(tmp_path):
    begin = TEXT.index("{") + 1
    whole = TEXT.rstrip()
    for size in range(begin, len(whole), 3):
        with pytest.raises(
            LibertyError, match=r"cells\.lib:\d+: the file ends inside library .tiny.* truncated; fetch"
        ):
            read(tmp_path, whole[:size])


def test_other_texts_are_no_liberty(tmp_path):
    for text in ("module m; endmodule\n", "", "a,b,c\n1,2,3\n", "}"):
        with pytest.raises(LibertyError, match="not a Liberty file"):
            read(tmp_path, text)
    with pytest.raises(LibertyError, match=rf"cells\.lib:{line_of('area : 10')}: no Liberty statement: 'area = 10;'"):
        read(tmp_path, TEXT.replace("area : 10", "area = 10"))
    with pytest.raises(LibertyError, match="has no cells"):
        read(tmp_path, "library (empty) { }")


def test_a_damaged_archive_is_named(tmp_path):
    whole = gzip.compress(TEXT.encode())
    file = tmp_path / "cells.lib.gz"
    for damaged in (whole[: len(whole) // 2], whole[:10] + bytes(20)):
        file.write_bytes(damaged)
        with pytest.raises(
            LibertyError, match=r"cells\.lib\.gz:1: the gzip file is truncated or damaged .*fetch it again"
        ):
            read_liberty(file, cache=False)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LibertyError, match=r"none\.lib: cannot read the Liberty file: No such file"):
        read_liberty(tmp_path / "none.lib")
    with pytest.raises(LibertyError, match="no Liberty file was given"):
        read_liberty([])


def test_a_cell_is_found_by_name(tiny):
    assert cell_of(tiny, "NAND") is tiny.cells["NAND"]
    with pytest.raises(ValueError, match="did you mean 'NAND'"):
        cell_of(tiny, "NANB")


def test_the_second_reading_comes_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.delenv("ARCHGYM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "cells.lib"
    file.write_text(TEXT)
    first = read_liberty(file)
    (kept,) = (tmp_path / "cache").rglob("*.pickle")
    monkeypatch.setattr("archgym.rtl.tech.liberty.parse", None)  # a second parse would fail
    second = read_liberty(file)
    assert second.text_hash == first.text_hash
    assert_allclose(second.cells["NAND"].arcs[0].rise.values, first.cells["NAND"].arcs[0].rise.values)
    assert second.cells["FLOP"].flop == first.cells["FLOP"].flop
    monkeypatch.undo()
    monkeypatch.delenv("ARCHGYM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept.write_bytes(kept.read_bytes()[:100])  # a damaged entry is read anew
    assert read_liberty(file).text_hash == first.text_hash
    file.write_text(TEXT.replace("area : 2.5", "area : 3.5"))
    changed = read_liberty(file)
    assert changed.text_hash != first.text_hash
    assert changed.cells["NAND"].area_um2 == 3.5


def test_an_unusable_cache_is_no_error(tmp_path, monkeypatch):
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the folder should be")
    monkeypatch.delenv("ARCHGYM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    file = tmp_path / "cells.lib"
    file.write_text(TEXT)
    assert read_liberty(file).cells["NAND"].area_um2 == 2.5
