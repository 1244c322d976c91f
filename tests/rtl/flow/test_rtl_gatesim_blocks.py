"""Blocks of the library as mapped netlists, against their golden models."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archgym.rtl.flow.compare_timing import mapped
from archgym.rtl.flow.gatesim import build_model
from archgym.rtl.flow.gatesim_check import check, exhaustive
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology

POINTS = [
    ("mac_unit", {"Width": 4, "AccWidth": 16, "Multiplier": 1, "CarrySave": 1, "Pipeline": 0}),
    ("l_mul", {"ExpWidth": 4, "ManWidth": 3}),
]


def point(name, settings):
    """The block, all its parameters, its netlist and the library."""
    found, tech = block(name), technology("generic45")
    parameters = {each.name: int(each.choices[0]) for each in found.parameters} | settings
    return found, parameters, mapped(tech, name, parameters), tech.library


@pytest.mark.parametrize(("name", "settings"), POINTS)
def test_mapped_blocks_give_what_their_golden_models_say(name, settings):
    found, parameters, netlist, library = point(name, settings)
    assert check(found, parameters, netlist, library, beats=40) is None


def test_a_wrong_cell_in_a_netlist_is_noticed():
    """Every NAND becomes a NOR of the same size."""
    found, parameters, netlist, library = point(*POINTS[0])
    assert any(kind.startswith("NAND2") for kind in netlist.kinds)
    wrong = replace(netlist, kinds=tuple(kind.replace("NAND2", "NOR2") for kind in netlist.kinds))
    mismatch = check(found, parameters, wrong, library, beats=40)
    assert mismatch is not None


@pytest.mark.parametrize(
    ("name", "settings"), [("multiplier", {"Width": 4, "Multiplier": 1}), ("ent_encoder", {"Width": 8})]
)
def test_combinational_blocks_are_right_for_every_operand(name, settings):
    found, parameters, netlist, library = point(name, settings)
    rows = 0
    for streams, outputs in exhaustive(build_model(netlist, library), found.ports(parameters)):
        golden = found.golden(parameters, streams)
        for port, values in golden.items():
            assert (np.asarray(outputs[port]) == values).all()
            rows += len(values)
    assert rows >= 256
