"""Designs written out: complete, checked, and the same as what was measured."""

import csv
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from command_line import invoke
from own_modules import PAIRS, PAIRS_MODEL, SCALE, SCALE_MODEL, write
from typer.testing import CliRunner

from archgym import cli
from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Port
from archgym.rtl.emit.check import check
from archgym.rtl.emit.find import best_of, block_point, in_environment
from archgym.rtl.emit.wrapper import wrapped, wrapper_text
from archgym.rtl.emit.write import emit
from archgym.rtl.flow import opensta
from archgym.rtl.flow.parse import RtlPort
from archgym.rtl.library import block


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """A stream block of the library, written once."""
    folder = tmp_path_factory.mktemp("emitted")
    found = block_point("accumulate_stream", {}, effort="quick")
    return found, emit(found, folder / "out"), folder / "out"


def test_all_is_written_and_checked(emitted):
    found, done, folder = emitted
    names = {"README.md", "constraints.sdc", "filelist.f", "metrics.csv", "netlist.v", "point.json", "report.txt"}
    assert names < set(done.files)
    listed = (folder / "filelist.f").read_text().split()
    assert listed[-1] == "rtl/accumulate_stream_point.sv"
    assert {f"rtl/{path.name}" for path in found.point.block.paths()} == set(listed[:-1])
    assert all((folder / name).is_file() for name in listed)
    assert "cocotb bench passed" in done.checked.bench
    assert done.checked.lint == "Verilator -Wall: without a warning"
    content = json.loads((folder / "point.json").read_text())
    assert content["parameters"] == dict(found.point.parameters)
    rows = {
        row["metric"]: float(row["value"]) for row in csv.DictReader((folder / "metrics.csv").read_text().splitlines())
    }
    assert rows["area_um2"] == pytest.approx(done.measured.metrics["area_um2"])
    assert rows == pytest.approx(content["metrics"])


def test_the_report_adds_up(emitted):
    _, done, folder = emitted
    report = (folder / "report.txt").read_text()
    cells = re.findall(r"^  (\w+)\s+([\d,]+)\s+([\d.]+) um2$", report, re.MULTILINE)
    total = cells.pop()
    assert total[0] == "all"
    assert sum(float(area) for _, _, area in cells) == pytest.approx(float(total[2]), abs=0.01 * len(cells))
    assert sum(int(number.replace(",", "")) for _, number, _ in cells) == done.measured.metrics["cells"]
    netlist = (folder / "netlist.v").read_text()
    assert len(re.findall(r"^\s*\w+ u\d+ ?\(", netlist, re.MULTILINE)) == done.measured.metrics["cells"]
    assert re.search(r"^module \w+_point \(", netlist, re.MULTILINE)


def test_the_yosys_script_runs_where_it_lies(emitted):
    _, done, folder = emitted
    code = "from pyosys import libyosys; libyosys.Design().run_pass('script synthesise.ys')"
    found = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-500:]
    flops = sum(int(n) for n in re.findall(r"^\s*(\d+)\s+(?:-\s+)?\$_S?DFF\w+_\s*$", found.stdout, re.MULTILINE))
    assert flops == done.measured.metrics["flops"]


@pytest.mark.skipif(not opensta.installed(), reason="OpenSTA is not installed")
def test_opensta_closes_the_written_netlist_at_the_written_clock(emitted, tmp_path):
    _, done, folder = emitted
    from archgym.rtl.tech.technology import technology

    script = tmp_path / "sta.tcl"
    script.write_text(
        f"read_liberty {technology().paths[0]}\nread_verilog {folder}/netlist.v\n"
        f"link_design {_top(folder)}\n"
        f"set_cmd_units -time ns -capacitance pF\nread_sdc {folder}/constraints.sdc\n"
        'puts "slack [worst_slack -max]"\nexit\n'
    )
    said = subprocess.run(["sta", "-no_splash", "-exit", str(script)], capture_output=True, text=True, check=False)
    assert "Error" not in said.stdout + said.stderr, said.stdout + said.stderr
    (slack,) = re.findall(r"^slack (\S+)", said.stdout, re.MULTILINE)
    value = float(slack) if abs(float(slack)) > 1e-6 else float(slack) * 1e9  # seconds, before version 2.3
    assert abs(value) < 0.02 * done.measured.metrics["critical_path_ns"]


def _top(folder):
    return (folder / "filelist.f").read_text().split()[-1].removeprefix("rtl/").removesuffix(".sv")


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_icarus_compiles_what_is_written(emitted):
    _, _, folder = emitted
    command = ["iverilog", "-g2012", "-o", "/dev/null", "-s", _top(folder), "-f", "filelist.f"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_folder_is_not_written_over(emitted, tmp_path):
    found, _, folder = emitted
    with pytest.raises(InvalidInput, match="is not empty; choose another folder with --out, or add --force"):
        emit(found, folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match="is a file; --out names a folder"):
        emit(found, tmp_path / "file")


def test_rtl_that_was_broken_on_its_way_is_noticed(emitted, tmp_path):
    """Lint and bench look at the written files, not at the library's."""
    found, _, folder = emitted
    point = found.point
    shutil.copytree(folder / "rtl", tmp_path / "rtl")
    paths = [tmp_path / name for name in (folder / "filelist.f").read_text().split()]
    top = wrapped(point.block, point.parameters, _top(folder), paths)
    name = point.block.ports(point.parameters)[0].name
    right = paths[-1].read_text()
    assert f".{name}({name})" in right
    paths[-1].write_text(right.replace(f".{name}({name})", f".{name}(~{name})"))
    with pytest.raises(InvalidInput, match=r"the written RTL does not pass its bench: .*expected"):
        check(top, point)
    paths[-1].write_text("module nothing(; endmodule\n")
    with pytest.raises(InvalidInput, match="the written RTL does not pass lint"):
        check(top, point)


@pytest.mark.parametrize(
    ("name", "text", "model"), [("scale", SCALE, SCALE_MODEL + "LATENCY = 2\n"), ("pairs", PAIRS, PAIRS_MODEL)]
)
def test_modules_of_ones_own(tmp_path, monkeypatch, name, text, model):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, name, text, model)
    (tmp_path / "own.rtl.yaml").write_text(
        f"name: {name}\ntop: {name}\nsources: [{name}.sv]\ngolden: {name}_model.py\neffort: quick\n"
    )
    measured = invoke("rtl", "measure", "own.rtl.yaml", "--effort", "quick", "--path", "--cells")
    assert "critical" in measured
    assert "DFF" in measured
    said = invoke("rtl", "emit", "own.rtl.yaml", "--effort", "quick", "--out", "out")
    assert "gates of the written RTL agree with the golden model" in said
    assert "set_input_delay 0 -clock" in (tmp_path / "out" / "constraints.sdc").read_text()


def test_combinational_modules_of_ones_own_are_checked_as_gates(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "module least(input logic [7:0] a, b, output logic [7:0] y);\n  assign y = a < b ? a : b;\nendmodule\n"
    model = "import numpy as np\n\ndef golden(p, inputs):\n    return {'y': np.minimum(inputs['a'], inputs['b'])}\n"
    write(tmp_path, "least", text, model)
    description = "name: least\ntop: least\nsources: [least.sv]\ngolden: least_model.py\neffort: quick\n"
    (tmp_path / "own.rtl.yaml").write_text(description)
    said = invoke("rtl", "emit", "own.rtl.yaml", "--effort", "quick", "--out", "out")
    assert "gates of the written RTL agree with the golden model" in said


def test_a_runs_best_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "scale", SCALE, SCALE_MODEL + "LATENCY = 2\n")
    (tmp_path / "own.rtl.yaml").write_text(
        "name: scale\ntop: scale\nsources: [scale.sv]\ngolden: scale_model.py\neffort: quick\n"
        "parameters: {W: [2, 3], GAIN: [5, 7]}\nclocks_ns: [0.0, 4.0]\n"
    )
    (tmp_path / "search.yaml").write_text(
        "environment: {name: rtl, options: {description: own.rtl.yaml}}\nworkloads: [random]\n"
        "objectives: [{minimize: area_um2}, low-power]\nagents: [coordinate]\nbudget: 4\nfix: {GAIN: 7}\n"
    )
    invoke("run", "search.yaml", "--out", "run", "-q")
    with pytest.raises(InvalidInput, match="has 2 objectives; name one with --objective: "):
        best_of(tmp_path / "run")
    with pytest.raises(UnknownName, match=r"unknown objective of .* 'low-powr'; did you mean 'low-power'"):
        best_of(tmp_path / "run", "low-powr")
    found = best_of(tmp_path / "run", "low-power")
    assert found.design == {"W": 2, "GAIN": 7, "clock_ns": 4.0}  # the narrowest, at the slowest clock
    invoke("rtl", "emit", "run", "--best", "--objective", "low-power", "--out", "out")
    assert ".GAIN(7)" in (tmp_path / "out" / "rtl" / "scale_point.sv").read_text()
    with pytest.raises(InvalidInput, match="a run's best design is known already; leave out W=3"):
        invoke("rtl", "emit", "run", "W=3", "--best")


def test_what_is_named_must_be_there(tmp_path):
    with pytest.raises(UnknownName, match="unknown environment, block, description or run 'mac_unt'; did you mean"):
        invoke("rtl", "emit", "mac_unt")
    with pytest.raises(UnknownName, match="unknown parameter of mac_unit 'Widht'; did you mean 'Width'"):
        block_point("mac_unit", {"Widht": "4"})
    with pytest.raises(InvalidInput, match="Width=four: 'four' is no whole number"):
        block_point("mac_unit", {"Width": "four"})
    with pytest.raises(InvalidInput, match=r"mac_unit refuses .*: AccWidth must be at least"):
        block_point("mac_unit", {"Width": "16", "AccWidth": "16"})
    with pytest.raises(InvalidInput, match=r"npu has no RTL to write; environments with RTL: .*tensor-engine"):
        in_environment("npu", {}, {}, "")
    with pytest.raises(InvalidInput, match="design lacks "):
        in_environment("rtl", {}, {"Width": "8"}, "")


def test_a_design_of_an_environment_becomes_a_point():
    words = {"Width": "8", "Taps": "5", "Form": "1", "Pipeline": "0", "clock_ns": "1"}
    found = in_environment("archgym/RTL-v0", {"effort": "quick"}, words, "tone")
    assert (found.point.clock_ns, found.point.parameters["Form"], found.point.workload.name) == (1.0, 1, "tone")
    assert found.design["clock_ns"] == 1.0
    engine = {
        "engine": "cube", "rows": "4", "cols": "4", "depth": "4", "multiplier": "booth", "carry_save": "true",
        "by_bit_weight": "false", "width": "8", "acc_width": "32", "pipeline": "false", "double_buffer": "false",
        "digits_per_cycle": "1", "skip_empty": "false", "slack": "0", "sum_in_element": "false", "clock_ns": "0",
    }  # fmt: skip
    found = in_environment("tensor-engine", {}, engine, "")
    assert (found.point.block.name, found.point.clock_ns) == ("cube", None)
    with pytest.raises(InvalidInput, match="the design cannot be built: width 4 is too narrow"):
        in_environment("tensor-engine", {}, {**engine, "width": "4"}, "")


def test_a_wrapper_has_the_ports_and_the_values():
    ports = [RtlPort("clk_i", "in", 1, False, "clock"), RtlPort("y_o", "out", 9, True)]
    text = wrapper_text("top", block("mac_unit"), {"Width": 4}, ports)
    assert "  input  logic              clk_i,  // clock\n  output logic signed [8:0] y_o\n" in text
    assert "mac_unit #(\n    .Width(4)\n  ) u_mac_unit (\n    .clk_i(clk_i),\n    .y_o(y_o)\n  );" in text


def test_a_wrapped_block_computes_the_same():
    unit = block("mac_unit")
    p = {"Width": 8, "AccWidth": 24, "Multiplier": 1, "CarrySave": 0, "Pipeline": 0}
    top = wrapped(unit, p, "top", [])
    rows = top.stimulus({}, np.random.default_rng(1), 50)
    assert top.golden({}, rows)["acc_o"].tolist() == unit.golden(p, rows)["acc_o"].tolist()
    assert top.macs({}, rows) == unit.macs(p, rows)
    assert Port("a_i", "in", 8, signed=True, doc="operand or EN-T code") in top.ports({})


def test_limits_of_a_measurement_are_options(cache):
    refused = CliRunner().invoke(cli.app, ["rtl", "measure", "mac_unit", "--effort", "quick", "--max-cells", "10"])
    assert "cells are over the limit of 10; raise the limit of cells" in str(refused.exception)


def test_the_cache_is_shown_and_emptied(cache):
    invoke("rtl", "measure", "accumulate_stream", "--effort", "quick")
    assert "points" in invoke("rtl", "cache")
    assert re.search(r"^[1-9]\d* results removed", invoke("rtl", "cache", "--clear"))
    assert not (cache / "rtl").exists()
