"""Our static timing beside OpenSTA's: recorded figures always, the tool itself where it is installed.

Run as a script, this file maps the designs again and records them, the cells of generic45 that they use, and OpenSTA's
figures.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
from linear_library import library, netlist_json

from archgym.errors import InvalidInput
from archgym.rtl.flow import compare_timing, opensta
from archgym.rtl.flow.compare_timing import compare, mapped, surroundings
from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.tech.liberty import read_liberty
from archgym.rtl.tech.technology import technology

RECORDED = Path(__file__).parent / "data" / "opensta_timing.json.gz"
DESIGNS = {
    "mac_booth": ("mac_unit", {"Width": 4, "AccWidth": 16, "Multiplier": 1, "CarrySave": 0}),
    "mac_carry_save": ("mac_unit", {"Width": 4, "AccWidth": 16, "Multiplier": 0, "CarrySave": 1}),
    "l_mul_e4m3": ("l_mul", {"ExpWidth": 4, "ManWidth": 3, "KeptBits": 3, "OffsetShift": 3, "Pipeline": 1}),
}
ALLOWED = 1e-4  # OpenSTA prints six digits after the point and calculates in single precision

needs_sta = pytest.mark.skipif(not opensta.installed(), reason="OpenSTA's sta is not on PATH")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The recorded entries, and the library of their cells."""
    entries = json.loads(gzip.decompress(RECORDED.read_bytes()))
    path = tmp_path_factory.mktemp("recorded") / "cells.lib"
    path.write_text(entries.pop("cells"))
    return entries, read_liberty(path)


@pytest.mark.parametrize("name", DESIGNS)
def test_worst_paths_agree_with_recorded_ones_of_opensta(recorded, name):
    entry, lib = recorded[0][name], recorded[1]
    netlist = flatten(read_yosys_json(json.dumps(entry["netlist"])), "", lib)
    timing = analyse(netlist, lib, Constraints(**entry["constraints"]))
    assert timing.groups == pytest.approx(entry["groups"], rel=ALLOWED)
    assert timing.critical_ns == pytest.approx(entry["critical_ns"], rel=ALLOWED)
    assert timing.hold_slack_ns == pytest.approx(entry["hold_ns"], rel=ALLOWED)


@needs_sta
@pytest.mark.parametrize("name", DESIGNS)
def test_worst_paths_agree_with_opensta_today(recorded, name):
    tech = technology("generic45")
    netlist = flatten(read_yosys_json(json.dumps(recorded[0][name]["netlist"])), "", tech.library)
    row = compare(tech, netlist)
    assert abs(row.error) < ALLOWED
    assert abs(row.worst_group_error) < ALLOWED


CELLS = {
    "k": ("XOR2", {"A": 3, "B": "1", "Y": 10}),
    "g": ("NAND2", {"A": 10, "B": 12, "Y": 11}),
    "f": ("DFF", {"D": 11, "CK": 2, "Q": 12}),
    "h": ("DFF", {"D": 12, "CK": 2, "Q": 13}),
    "z": ("AND2", {"A": 13, "B": "0", "Y": 14}),
    "i": ("INV", {"A": 13, "Y": 15}),
}


def small(folder, *, wires):
    """The netlist of these cells, its library and constraints."""
    lib = library(folder, wires=wires)
    text = netlist_json(CELLS, inputs={"clk_i": 2, "a": 3}, outputs={"y": 15, "z": 14, "w": 12})
    constraints = Constraints(1.0, "clk_i", 0.03, 7.0, 0.1, 0.2, 0.02)
    return flatten(read_yosys_json(text), "", lib), lib, constraints


@needs_sta
@pytest.mark.parametrize("wires", [False, True])
def test_constants_holds_and_wire_loads_agree_with_opensta(tmp_path, wires):
    netlist, lib, constraints = small(tmp_path, wires=wires)
    ours, theirs = analyse(netlist, lib, constraints), opensta.worst_path(netlist, lib, constraints)
    assert ours.groups == pytest.approx(theirs.groups, rel=ALLOWED)
    assert ours.hold_slack_ns == pytest.approx(theirs.hold_ns, abs=1e-6)
    assert "slack" in theirs.report


@needs_sta
@pytest.mark.parametrize("wire_resistance", [False, True])
def test_compressed_libraries_are_unpacked_for_opensta(tmp_path, wire_resistance):
    netlist, lib, constraints = small(tmp_path, wires=True)
    packed = tmp_path / "packed.lib.gz"
    packed.write_bytes(gzip.compress(lib.sources[0].read_bytes()))
    plain, unpacked = (
        opensta.worst_path(netlist, each, constraints, wire_resistance=wire_resistance).groups
        for each in (lib, read_liberty(packed))
    )
    assert unpacked == plain


@needs_sta
def test_the_table_of_the_comparison_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(compare_timing, "DESIGNS", (("L-Mul E4M3", *DESIGNS["l_mul_e4m3"]),))
    compare_timing.main([])
    row = capsys.readouterr().out.splitlines()[-1].split(" | ")
    assert row[0] == "| L-Mul E4M3"
    assert abs(float(row[4].removesuffix(" %"))) < 100 * ALLOWED


def test_a_design_that_cannot_be_mapped_is_named():
    with pytest.raises(InvalidInput, match=r"l_mul .* in generic45: failed: .*OffsetShift must be 0 to KeptBits"):
        mapped(technology("generic45"), "l_mul", {"ExpWidth": 4, "ManWidth": 3, "KeptBits": 3, "OffsetShift": 9})


@needs_sta
def test_combinational_blocks_need_no_clock(tmp_path):
    lib = library(tmp_path)
    text = netlist_json({"i": ("XOR2", {"A": 2, "B": 3, "Y": 4})}, inputs={"a": 2, "b": 3}, outputs={"y": 4})
    netlist = flatten(read_yosys_json(text), "", lib)
    constraints = Constraints(1.0, "none", 0.05, 2.0)
    theirs = opensta.worst_path(netlist, lib, constraints)
    assert analyse(netlist, lib, constraints).critical_ns == pytest.approx(theirs.critical_ns, rel=ALLOWED)
    assert theirs.hold_ns is None


@needs_sta
def test_a_block_with_a_clock_alone_is_timed(tmp_path):
    lib = library(tmp_path)
    cells = {"f": ("DFF", {"D": 4, "CK": 2, "Q": 3}), "i": ("INV", {"A": 3, "Y": 4})}
    netlist = flatten(read_yosys_json(netlist_json(cells, inputs={"clk_i": 2}, outputs={"y": 3})), "", lib)
    constraints = Constraints(1.0)
    assert analyse(netlist, lib, constraints).groups == pytest.approx(
        opensta.worst_path(netlist, lib, constraints).groups, rel=ALLOWED
    )


@needs_sta
def test_the_message_of_opensta_is_passed_on(tmp_path):
    lib = library(tmp_path)
    text = netlist_json({}, inputs={"a": 2}, outputs={"y": 2})
    netlist = flatten(read_yosys_json(text), "", lib)
    with pytest.raises(InvalidInput, match="OpenSTA stopped with status"):
        opensta.run(netlist, lib, "no_such_command")


def test_without_opensta_it_is_said_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    lib = library(tmp_path)
    netlist = flatten(read_yosys_json(netlist_json({}, inputs={"a": 2}, outputs={"y": 2})), "", lib)
    with pytest.raises(InvalidInput, match="apt install opensta"):
        opensta.worst_path(netlist, lib, Constraints(1.0))


def test_what_opensta_prints_is_read_without_it(tmp_path, monkeypatch):
    # What the tool printed for the cells above is given back by a script in its place.
    (tmp_path / "printed").write_text(json.loads(gzip.decompress(RECORDED.read_bytes()))["printed"])
    tool = tmp_path / "sta"
    tool.write_text(
        f'#!/bin/sh\ngrep -q "create_clock -name clock -period 1.0 .*clk_i" "$3" && cat {tmp_path}/printed\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    netlist, lib, constraints = small(tmp_path, wires=True)
    theirs = opensta.worst_path(netlist, lib, constraints)
    ours = analyse(netlist, lib, constraints)
    assert ours.groups == pytest.approx(theirs.groups, rel=ALLOWED)
    assert ours.hold_slack_ns == pytest.approx(theirs.hold_ns, abs=1e-6)


def bare(netlist):
    """The netlist as a module of Yosys's format with numbers for names."""

    def bits(nets):
        return [str(net) if net < 2 else net for net in nets.tolist()]

    cells = {}
    for cell, kind in enumerate(netlist.cell_kind.tolist()):
        nets = netlist.pin_net[netlist.pin_start[cell] : netlist.pin_start[cell + 1]]
        pins = {pin: [bit] for pin, bit in zip(netlist.kind_pins[kind], bits(nets), strict=True)}
        cells[f"u{cell}"] = {"type": netlist.kinds[kind], "connections": pins}
    ports = {name: {"direction": "input", "bits": bits(nets)} for name, nets in netlist.inputs.items()}
    ports |= {name: {"direction": "output", "bits": bits(nets)} for name, nets in netlist.outputs.items()}
    return {"modules": {netlist.name: {"attributes": {}, "ports": ports, "cells": cells, "netnames": {}}}}


def cut(text, cells):
    """A Liberty text with these cells only, and without their power."""
    kept, at = [], 0
    for match in re.finditer(r"\b(cell|internal_power|leakage_power)\s*\(([^)]*)\)\s*\{", text):
        if match.start() >= at and not (match[1] == "cell" and match[2].strip(' "') in cells):
            kept.append(text[at : match.start()])
            at, depth = match.end(), 1
            while depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
    return "".join([*kept, text[at:]])


def record():
    """Write what `test_worst_paths_agree_with_recorded_ones_of_opensta` compares with."""
    tech, entries, used = technology("generic45"), {}, set()
    for name, (block, parameters) in DESIGNS.items():
        netlist = mapped(tech, block, parameters)
        constraints = surroundings(tech, netlist)
        theirs = opensta.worst_path(netlist, tech.library, constraints)
        used.update(netlist.kinds)
        entries[name] = {
            "constraints": vars(constraints),
            "critical_ns": theirs.critical_ns,
            "groups": theirs.groups,
            "hold_ns": theirs.hold_ns,
            "netlist": bare(netlist),
        }
    with tempfile.TemporaryDirectory() as folder:
        netlist, lib, constraints = small(Path(folder), wires=True)
        lines = opensta.path_commands(netlist, constraints)
        entries["printed"] = opensta.run(netlist, lib, lines)
    entries["cells"] = cut(tech.paths[0].read_text(), used)
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_bytes(gzip.compress(json.dumps(entries, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    record()
