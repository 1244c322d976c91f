"""The arrays' RTL: benches with every multiplier, lint, refusals, planted faults, mapped netlists."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from archgym.rtl.bench.build import rejection
from archgym.rtl.bench.mutants import kill
from archgym.rtl.bench.points import points
from archgym.rtl.bench.run import run
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.lint import lint
from archgym.rtl.flow.netlist import flatten, read_yosys_json
from archgym.rtl.flow.synth import synthesise
from archgym.rtl.flow.target import target
from archgym.rtl.library import block, blocks
from archgym.rtl.tech.technology import technology

NAMES = tuple(name for name, each in blocks().items() if each.family == "array")
SMALL = {
    "Rows": 4, "Cols": 4, "Columns": 4, "Depth": 4, "Width": 8, "AccWidth": 32, "Multiplier": 3, "CarrySave": 1,
    "Reduction": 1, "Pipeline": 0, "ResultBuffer": 1, "WeightBuffer": 1, "Encoders": 1, "Lanes": 4, "Horner": 0,
    "SkipEmpty": 0, "Slack": 1,
}  # fmt: skip


def small(name, **changes):
    """The parameters of 4 x 4 elements, those of the block only."""
    return {knob.name: (SMALL | changes)[knob.name] for knob in block(name).parameters}


def test_all_engines_are_there():
    assert set(NAMES) == {"systolic_os", "systolic_ws", "matrix2d", "cube", "adder_tree", "digit_array"}


@pytest.mark.parametrize("name", NAMES)
def test_bench(name):
    outcome = run(block(name), small(name))
    assert outcome.passed, outcome.fault


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "systolic_ws" else pytest.mark.slow) for name in NAMES]
)
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_bench_in_icarus(name):
    outcome = run(block(name), small(name, Width=4, AccWidth=16), simulator="icarus")
    assert outcome.passed, outcome.fault


@pytest.mark.parametrize("name", NAMES)
def test_lint_is_clean(name):
    for changes in ({}, {"Multiplier": 4, "CarrySave": 0, "Reduction": 0, "ResultBuffer": 0, "WeightBuffer": 0}):
        found = lint(Design.of(block(name), small(name, **changes)))
        assert found.status == "ok", found.messages


def test_refused_at_elaboration_too():
    for name in ("systolic_os", "systolic_ws", "cube", "digit_array"):
        p = small(name, AccWidth=8)
        assert "AccWidth" in block(name).reject(p)
        said = rejection(block(name).top, list(block(name).paths()), p)
        assert "must be at least" in said
    p = small("adder_tree", Multiplier=0)
    assert "Multiplier 1 to 4" in block("adder_tree").reject(p)
    assert "Multiplier 1 to 4" in rejection("adder_tree", list(block("adder_tree").paths()), p)


def test_tree_of_the_published_width_is_noticed():
    unit = block("adder_tree")
    (fault,) = (each for each in unit.mutations if "as published" in each.doc)
    verdict = kill(unit, fault, [small("adder_tree")])
    assert verdict.killed
    # The corners find it: -2 * -128 on all lanes has the wrong sign.
    assert verdict.said.startswith("corners")


def test_elements_are_kept_and_nothing_latches():
    tech = technology("generic45")
    cells = target(tech.library, tech.driver, tech.load_ff)
    for name, unit, count in (("systolic_os", "systolic_os_pe", 16), ("systolic_ws", "systolic_ws_pe", 16)):
        p = small(name, Width=4, AccWidth=16)
        found = synthesise(Design.of(block(name), p), cells, hierarchical=True)
        assert found.status == "ok", found.reason
        modules = read_yosys_json(found.netlist)
        elements = [each for each in modules.by_name[found.top].cells if each.kind.startswith(unit)]
        assert len(elements) == count
        assert len({each.kind for each in elements}) == 1
        netlist = flatten(modules, found.top, tech.library)  # a combinational loop would be refused
        assert not [kind for kind in netlist.counts() if "LAT" in kind.upper()]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_benches_of_a_sample(name):
    unit = block(name)
    for p in points(unit, 8, np.random.default_rng(5), limit=20_000):
        outcome = run(unit, p)
        assert outcome.passed, (p, outcome.fault)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name != "digit_array"])
def test_every_multiplier(name):
    for multiplier in range(5):
        for carry_save in (0, 1):
            for reduction in (0, 1) if multiplier and "Reduction" in small(name) else (0,):
                p = small(name, Multiplier=multiplier, CarrySave=carry_save, Reduction=reduction)
                outcome = run(block(name), p)
                assert outcome.passed, (p, outcome.fault)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_planted_faults_are_noticed(name):
    assert len(block(name).mutations) >= 3
    for fault in block(name).mutations:
        verdict = kill(block(name), fault, [small(name)], seconds=20)
        assert verdict.killed, (fault.doc, verdict.said)
