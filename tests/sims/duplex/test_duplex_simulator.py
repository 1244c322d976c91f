"""The environment: contract, metrics, knobs without effect, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from archgym.errors import InvalidInput, UnknownName
from archgym.plan import make_plan
from archgym.sims.duplex.serving import serve
from archgym.sims.duplex.space import decode
from archgym.sims.duplex.system import System
from archgym.sims.duplex.workloads import WORKLOADS, workload
from archgym.testing import check_simulator

SMALL = "mixtral-in64-out32-batch16"
DUPLEX = {
    "xpu": "h100", "stacks": 5, "pim": "logic", "pim_bandwidth": 4, "pim_op_per_byte": 8,
    "offload": "attention+experts",
    "attention_coprocessing": True, "expert_coprocessing": True, "expert_split": "tensor", "merged_reduction": False,
    "cluster_scale": 1,
    "link_gb_per_s": 450, "max_batch": 128, "prefill_tokens_per_stage": 8192, "stage_policy": "mixed",
}  # fmt: skip


@pytest.fixture(scope="module")
def simulator():
    return archgym.simulator("duplex")


def score(simulator, load=SMALL, **changes):
    found = simulator.simulate(simulator.space.encode({**DUPLEX, **changes})[None], load)
    assert found.ok.all(), found.reasons
    return found.as_dict(0)


def test_it_keeps_the_contract(simulator):
    check_simulator(simulator)
    check_simulator(simulator, "llama3-in256-out256-batch32", designs=8)


def test_energy_is_the_sum_of_its_parts_and_power_its_rate(simulator):
    designs = simulator.space.sample(40, np.random.default_rng(3))
    found = simulator.simulate(designs, SMALL)
    parts = ("activate", "access", "compute", "link", "standby")
    total = sum(found[f"energy_{part}_pj_per_token"] for part in parts)
    np.testing.assert_allclose(found["energy_pj_per_token"], total)
    np.testing.assert_allclose(found["power_mw"], total * found["tokens_per_s"] * 1e-9)
    np.testing.assert_allclose(found["edap"], total * 1e-12 / found["tokens_per_s"] * found["area_mm2"])
    for unit in ("xpu", "pim"):
        share = found[f"{unit}_utilisation"][found.ok]
        assert ((share >= 0) & (share <= 1 + 1e-12)).all()
    for name in ("tbt", "t2ft", "e2e"):
        quantiles = np.stack([found[f"{name}_p{p}_ns"] for p in (50, 90, 99)])[:, found.ok]
        assert (np.diff(quantiles, axis=0) >= 0).all()


def test_from_npu_over_bank_pim_to_duplex(simulator):
    npu = score(simulator, xpu="npu-8x128x128", pim="none")
    neupims = score(
        simulator, xpu="npu-8x128x128", pim="bank", pim_bandwidth=16, pim_op_per_byte=1, offload="attention"
    )
    duplex = score(simulator, xpu="npu-8x128x128")
    assert npu["tokens_per_s"] < neupims["tokens_per_s"] < duplex["tokens_per_s"]
    assert npu["pim_utilisation"] == 0 < neupims["pim_utilisation"]
    assert npu["pim_area_mm2"] == 0


def test_area_and_power_tell_what_a_search_may_not_ignore(simulator):
    duplex, wide = score(simulator), score(simulator, pim_bandwidth=16, pim_op_per_byte=16)
    assert duplex["pim_die_percent"] == pytest.approx(14.71, abs=0.05)
    assert wide["pim_die_percent"] > 60
    assert wide["device_power_mw"] > duplex["device_power_mw"] == pytest.approx(duplex["power_mw"] / 4)
    row = simulator.space.encode({**DUPLEX, "pim": "bank", "pim_bandwidth": 16, "pim_op_per_byte": 16})[None]
    found = simulator.simulate(row, SMALL)
    assert found.status[0] == "infeasible"
    assert "mm2 of each stack" in found.reasons[0]


def test_twice_the_devices_are_faster_but_not_twice(simulator):
    one, two = (score(simulator, pim="none", cluster_scale=scale) for scale in (1, 2))
    assert (one["devices"], two["devices"]) == (4, 8)
    assert one["tokens_per_s"] < two["tokens_per_s"] < 2 * one["tokens_per_s"]


def test_a_batch_in_turn_keeps_new_requests_waiting(simulator):
    mixed, drained = (score(simulator, stage_policy=policy) for policy in ("mixed", "decode-first"))
    assert drained["t2ft_p50_ns"] > 2 * mixed["t2ft_p50_ns"]
    assert drained["mean_batch"] < mixed["mean_batch"]


def test_memory_without_timings_is_faster(simulator):
    ideal = archgym.simulator("duplex", memory="peak")
    assert score(ideal)["tokens_per_s"] > score(simulator)["tokens_per_s"]


def test_knobs_without_effect_are_one_design(simulator):
    space, rng = simulator.space, np.random.default_rng(0)
    designs = space.sample(300, rng)
    designs[:, space.position("pim")] = 0
    same = space.canonical(designs)
    for name in ("pim_bandwidth", "pim_op_per_byte", "offload", "attention_coprocessing", "expert_coprocessing"):
        assert (same[:, space.position(name)] == 0).all()
    whole = space.encode({**DUPLEX, "pim_bandwidth": 16})
    other = space.encode({**DUPLEX, "pim_bandwidth": 16, "expert_coprocessing": False, "attention_coprocessing": False})
    assert (space.canonical(whole[None]) == space.canonical(other[None])).all()


def test_what_collapses_makes_no_difference(simulator):
    space = simulator.space
    designs = space.sample(30, np.random.default_rng(8))
    designs[:15, space.position("pim")] = 0
    designs[15:, space.position("pim_bandwidth")] = 3
    unit = space.position("pim")
    designs[designs[:, unit] == space["pim"].choices.index("bank-group"), unit] = 1  # has no such bandwidth
    load = workload(SMALL)
    for row, same in zip(designs, space.canonical(designs), strict=True):
        times = []
        for design in (row, same):
            values = {name: column[0].item() for name, column in decode(design[None]).items()}
            del values["cluster_scale"]
            times.append(serve(load, System(**values, devices=4), overflow="shrink").seconds)
        assert times[0] == times[1]


def test_what_does_not_fit_is_infeasible_with_bytes(simulator):
    rows = np.stack([simulator.space.encode({**DUPLEX, **change}) for change in ({"pim": "none"}, {"max_batch": 32})])
    found = simulator.simulate(rows, "opt-in1024-out1024-batch64")
    assert list(found.status) == ["infeasible", "ok"]
    assert "need" in found.reasons[0]
    assert "bytes on each of 4 devices" in found.reasons[0]
    shrunk = archgym.simulator("duplex", overflow="shrink").simulate(rows, "opt-in1024-out1024-batch64")
    assert shrunk.ok.all()
    assert shrunk["mean_batch"][0] < 64


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_registered_workload_can_be_served(name):
    found = archgym.simulator("duplex", overflow="shrink")
    row = found.space.encode({**DUPLEX, "pim": "none"})[None]
    assert found.simulate(row, name).ok.all()


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("mixtal-in4-out4-batch1", UnknownName, "did you mean 'mixtral'"),
        ("mixtral", UnknownName, "form <model>-in<tokens>"),
        ("mixtral-in0-out4-batch1", InvalidInput, "prompts of 0"),
        ("mixtral-in4-out1-batch1", InvalidInput, "from 1 and from 2"),
        ("mixtral-in4-out4-batch0", InvalidInput, "whole numbers 1 to 4096"),
        ("mixtral-in4-out4-batch1.5", InvalidInput, "batch 1.5"),
        ("mixtral-in4-out4-qps0", InvalidInput, "above 0"),
        ("llama3-in8000-out4096-batch4", InvalidInput, "do not fit the context of llama3-70b; allowed: 8192"),
    ],
)
def test_wrong_workloads_are_refused(simulator, name, error, message):
    with pytest.raises(error, match=message):
        simulator.simulate(simulator.space.encode(DUPLEX)[None], name)


@pytest.mark.parametrize("wrong", [{"memory": "ideal"}, {"overflow": "drop"}, {"seed": -1}, {"seed": 1.5}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(InvalidInput, match="allowed"):
        archgym.simulator("duplex", **wrong)


def test_lengths_vary_as_in_the_authors_simulator():
    load = workload("mixtral-in1024-out512-batch64").load(0)
    assert (load.prompt + load.output == 1024 + 512).all()
    assert abs(load.prompt - 1024).max() <= 0.95 * 255
    assert load.prompt.std() == pytest.approx(0.4 * 255, rel=0.15)
    assert ((load.produced[:64] >= 1) & (load.produced[:64] < load.output[:64])).all()
    assert (load.produced[64:] == 0).all()


def test_any_name_of_the_form_can_be_planned_and_is_told_apart_by_what_it_means(tmp_path, simulator):
    file = tmp_path / "own.yaml"
    form = "environment: duplex\nworkloads: [{}]\nobjectives: [throughput]\nagents: [random]\nbudget: 1\n"
    file.write_text(
        form.format("llama3-8b-in64-out64-batch4").replace("throughput", "{maximize: tokens_per_s}"), "utf-8"
    )
    assert [trial.workload for trial in make_plan(file).trials] == ["llama3-8b-in64-out64-batch4"]
    prints = {simulator.workload_fingerprint(f"opt-in64-out{n}-qps2") for n in (64, 65)}
    assert len(prints) == 2
    with pytest.raises(InvalidInput, match="batch 0"):
        simulator.workload_fingerprint("opt-in64-out64-batch0")


def test_units_at_the_bank_groups_have_a_bus_each():
    assert System(pim="bank-group", pim_bandwidth=8).pim_bytes_per_s > 0
    with pytest.raises(InvalidInput, match="up to 8"):
        System(pim="bank-group", pim_bandwidth=16)
