"""The simulator: contract, conservation, equivalence, workloads and refusals."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import archgym
from archgym.errors import ArchGymError, InvalidInput, TraceError, UnknownName
from archgym.sims.llm.models import model
from archgym.sims.llm.parallel import Parallel
from archgym.sims.neupims import area, energy, gpu
from archgym.sims.neupims.block import hardware, simulate_block
from archgym.sims.neupims.simulator import METRICS, NeuPims
from archgym.sims.neupims.space import PARAMETERS, collapse, split_of
from archgym.sims.neupims.system import SYSTEMS, System, system
from archgym.sims.neupims.workloads import (
    CALIBRATION,
    REGISTERED,
    SAMPLES,
    decoder_named,
    split_of as published,
    workload,
)
from archgym.sims.pim.device import pim_device
from archgym.testing import check_simulator

SMALL = "gpt3-7b-alpaca-b64"


def design(changed: System, split: str = "published") -> dict[str, Any]:
    found = {field.name: getattr(changed, field.name) for field in dataclasses.fields(changed)}
    del found["vector_lanes"]
    return {**found, "split": split}


def score(changed: System, load: str = SMALL, split: str = "published", **options: Any) -> dict[str, float]:
    simulator = NeuPims(**options)
    found = simulator.simulate(simulator.space.encode([design(changed, split)]), load)
    assert found.ok.all(), found.reasons
    return found.as_dict(0)


def test_contract():
    check_simulator(archgym.simulator("neupims"), "calibration")
    check_simulator(NeuPims(), SMALL, designs=12)


def test_environment():
    import gymnasium
    from gymnasium.utils.env_checker import check_env

    env = gymnasium.make("archgym/NeuPIMs-v0", workload="calibration", objective={"maximize": "tokens_per_joule"})
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


@pytest.mark.parametrize("load", [SMALL, "gpt3-30b-sharegpt-b128", "llama3-8b-sharegpt-b64"])
def test_utilisations_parts_and_rates_add_up(load):
    simulator = NeuPims()
    found = simulator.simulate(simulator.space.sample(60, np.random.default_rng(3)), load)
    rows = found.take(np.flatnonzero(found.ok))
    assert len(rows) > 20
    for name in ("npu_utilisation", "npu_busy", "pim_utilisation", "pim_occupancy", "bandwidth_utilisation"):
        assert ((rows[name] >= 0) & (rows[name] <= 1)).all(), name
    assert (rows["pim_utilisation"] <= rows["pim_occupancy"] + 1e-12).all()
    on_npu = rows["npu_busy"] > 0  # all but GPUs
    assert (rows["npu_utilisation"][on_npu] <= rows["npu_busy"][on_npu] + 1e-12).all()
    assert on_npu.any()
    parts = np.sum([rows[f"energy_{name}_pj"] for name in energy.PARTS], axis=0)
    assert parts == pytest.approx(rows["energy_pj_per_token"])
    sizes = np.sum([rows[f"area_{name}_mm2"] for name in area.PARTS], axis=0)
    assert sizes == pytest.approx(rows["area_mm2"])
    batch = workload(load).batch
    assert rows["tokens_per_s"] == pytest.approx(batch / rows["latency_per_token_ns"] * 1e9)
    assert rows["tokens_per_joule"] == pytest.approx(1e12 / rows["energy_pj_per_token"])
    assert rows["power_mw"] == pytest.approx(rows["energy_pj_per_token"] * batch / rows["latency_per_token_ns"])
    assert rows["tokens_per_s_per_mm2"] == pytest.approx(rows["tokens_per_s"] / rows["area_mm2"])


def test_a_token_takes_all_layers():
    """32 layers of the block the kernels simulate, averaged over the batches."""
    load = workload(SMALL)
    plain = [simulate_block(system("npu-only"), load.decoder, batch, tensor=4).cycles for batch in load.batches]
    assert score(system("npu-only"))["latency_per_token_ns"] == pytest.approx(32 * np.mean(plain))
    halves = [
        simulate_block(system("neupims"), load.decoder, batch, tensor=4, interleave=True).stages
        for batch in load.batches
    ]
    stages = np.mean(halves, axis=0)
    found = score(system("neupims", sub_batching="on"))
    assert found["latency_per_token_ns"] == pytest.approx(stages.sum() + 30 * (stages[2] + stages[3]))


def test_a_pipeline_passes_one_batch_from_stage_to_stage():
    one, two = score(system("npu-only"), split="4x1"), score(system("npu-only"), split="4x2")
    assert two["latency_per_token_ns"] == pytest.approx(one["latency_per_token_ns"])
    assert two["area_mm2"] == pytest.approx(2 * one["area_mm2"])
    assert two["energy_mac_pj"] == pytest.approx(one["energy_mac_pj"])
    assert two["energy_leakage_pj"] == pytest.approx(2 * one["energy_leakage_pj"])


def test_links_cost_two_all_reduces_a_layer():
    free, linked = score(system("npu-only")), score(system("npu-only"), link="nvlink4")
    message = 64 * 4096 * 2
    each = 2 * 3 * (0.8e-6 + message / 4 / 450e9)
    more = linked["latency_per_token_ns"] - free["latency_per_token_ns"]
    assert more == pytest.approx(32 * 2 * each * 1e9)
    one = score(system("neupims", sub_batching="on"), split="1x1", load="gpt3-7b-alpaca-b64", link="nvlink4")
    assert (
        one["latency_per_token_ns"] == score(system("neupims", sub_batching="on"), split="1x1")["latency_per_token_ns"]
    )
    staged = score(system("npu-only"), split="4x2", link="nvlink4")["latency_per_token_ns"]
    assert staged - linked["latency_per_token_ns"] == pytest.approx(2 * (message / 450e9 + 0.8e-6) * 1e9)
    with pytest.raises(UnknownName, match="nvlink4"):
        NeuPims(link="nvlink5")


def test_gpu_by_hand():
    """One request of one token on a model of one layer: every operator is bound by bandwidth, or by its launch."""
    decoder = decoder_named("e1024-h8")
    weights = 2 * 12 * 1024 * 1024
    flops, size = gpu.block_work(decoder, (1,), 1)
    assert flops == pytest.approx(2 * 12 * 1024 * 1024, rel=0.01)
    assert size == pytest.approx(weights, rel=0.01)
    launches = len(gpu.operators(decoder, (1,), 1)) * gpu.gpu().launch_s * 1e9
    assert gpu.block_ns(decoder, (1,), 1) == pytest.approx(launches + size / (1555e9 * 0.85) * 1e9, rel=0.001)
    found = score(system("gpu-only"), "e1024-h8-sharegpt-b8")
    assert found["power_mw"] == pytest.approx(400_000)
    assert found["area_mm2"] == pytest.approx(826 + 40 * 91.99)
    assert found["npu_utilisation"] < found["bandwidth_utilisation"] < 0.85


def test_energy_by_hand():
    counts = energy.Counts(1e6, 2e6, 3e5, 1024.0 * 32 * 16, 0.0)
    parts = energy.npu_parts(counts, 1024)
    assert parts["mac"] == pytest.approx(1e6 * (1.1 + 0.9 + 8.999495e-3 * (32 + 16)))
    assert parts["vector"] == pytest.approx(3e5 * 4.6)
    assert parts["sram"] == pytest.approx((2e6 + 1024 * 512) * 1.25 * (1024 / 8) ** 0.5)
    assert energy.npu_parts(counts, 131072) == parts  # made of macros of 1 MiB
    memory = pim_device("neupims-hbm2")
    # HBM2_8Gb_x128: 1.2 V, IDD0 65, 2N 40, 3N 55, 4R 390, 5AB 250 mA, tRC 48, tRAS 34, burst 2
    activate = 1.2 * (65 * 48 - 55 * 34 - 40 * 14)
    read = 1.2 * (390 - 55) * 2
    assert energy.dram_pj(memory, counts) == pytest.approx(512 * 16 * read + 512 * activate)
    wide = pim_device("neupims-hbm2", page_bytes=2048)
    assert energy.dram_pj(wide, counts) == pytest.approx(512 * 16 * read + 512 * activate)  # half the rows, twice each
    standby = 1.2 * 55 * 2 * 2  # two ranks, two row buffers
    refresh = 1.2 * (250 - 40) * 260 / 3900 * 2
    assert energy.background_mw(memory) == pytest.approx(32 * (standby + refresh), rel=1e-6)


def test_more_multipliers_and_row_buffers_cost_area_and_energy():
    few, many = score(system("neupims", pim_multipliers=8)), score(system("neupims", pim_multipliers=32))
    assert many["area_pim_mm2"] > few["area_pim_mm2"]
    assert many["energy_pim_pj"] >= 0.99 * few["energy_pim_pj"]  # the same products, in fewer commands
    single, dual = score(system("neupims", pim="single")), score(system("neupims"))
    assert dual["area_dram_mm2"] == single["area_dram_mm2"]
    added = dual["area_pim_mm2"] - single["area_pim_mm2"]
    assert added / dual["area_dram_mm2"] == pytest.approx(0.0311)  # the published figure, which is an input
    assert score(system("npu-only"))["area_pim_mm2"] == 0.0


@pytest.mark.parametrize("commands", ["fine", "composite"])
def test_composite_commands_and_sequencers_never_lose(commands):
    load = "gpt3-7b-sharegpt-b64"
    shared = score(system("npu+pim", pim_commands=commands), load)
    own = score(system("npu+pim", pim_commands=commands, pim_issue="per-channel"), load)
    assert own["tokens_per_s"] >= shared["tokens_per_s"] * 0.995
    for issue in ("shared", "per-channel"):
        for buffers in ("single", "dual"):
            for multipliers in (8, 64):
                same = {"pim": buffers, "pim_issue": issue, "pim_multipliers": multipliers, "sub_batching": "on"}
                fine = score(system("neupims", pim_commands="fine", **same), load)
                whole = score(system("neupims", pim_commands="composite", **same), load)
                assert whole["tokens_per_s"] >= fine["tokens_per_s"] * 0.995


def test_what_does_not_matter_is_collapsed_and_changes_no_number():
    simulator = NeuPims()
    rng = np.random.default_rng(11)
    rows = simulator.space.sample(200, rng)
    same = collapse(rows)
    assert (collapse(same) == same).all()
    changed = (rows != same).any(axis=1)
    assert changed.sum() > 100
    for row, other in list(zip(rows[changed], same[changed], strict=True))[:25]:
        a, b = simulator.simulate(row[None], "calibration"), simulator.simulate(other[None], "calibration")
        assert np.array_equal(a.values, b.values, equal_nan=True)
        assert a.reasons == b.reasons
    columns = {parameter.name: i for i, parameter in enumerate(PARAMETERS)}
    for row in simulator.space.decode(same):
        if row["host"] == "gpu":
            assert row["pim"] == "none"
            assert row["arrays"] == 8
        if row["pim"] == "none":
            assert row["sub_batching"] == "off"
    assert columns["host"] == 0


@pytest.mark.parametrize(
    ("changed", "load", "split", "reason"),
    [
        ({}, "gpt3-175b-alpaca-b64", "1x1", r"weights need \d+ bytes|need \d+ bytes on each device, 34359738368 are"),
        ({"channels": 8}, "gpt3-7b-sharegpt-b512", "2x1", r"need \d+ bytes on each device, 8589934592 are available"),
        ({"packing": "round-robin"}, "gpt3-13b-sharegpt-b384", "4x1", r"need \d+ bytes of one channel, at most \d+"),
        ({}, "gpt3-30b-alpaca-b64", "16x1", r"tensor degree 16 does not divide its 56 heads; allowed: 1, 2, 4, 7, 8"),
        ({}, "e512-h4-alpaca-b64", "2x2", r"pipeline degree 2 does not divide its 1 layers"),
        ({"host": "gpu", "pim": "none"}, "gpt3-175b-alpaca-b64", "4x1", r"need \d+ bytes on each device, 40000000000"),
        ({"channels": 16}, "calibration", "1x1", r"lives in channel 31; the system has 16"),
    ],
)
def test_what_cannot_run_is_infeasible_and_says_why(changed, load, split, reason):
    simulator = NeuPims()
    found = simulator.simulate(simulator.space.encode([design(System(**changed), split)]), load)
    assert found.status.tolist() == ["infeasible"]
    assert np.isnan(found.values).all()
    import re

    assert re.search(reason, found.reasons[0]), found.reasons[0]


def test_workloads():
    assert len(REGISTERED) == 41
    load = workload("gpt3-30b-sharegpt-b256")
    assert load.parallel == Parallel(4, 2)
    assert len(load.batches) == SAMPLES
    assert len(set(load.batches)) == SAMPLES
    assert load.batch == 256
    assert all(1 <= length <= 2048 for batch in load.batches for length in batch)
    assert workload("calibration").batches == (CALIBRATION[0],)
    assert workload("llama3-70b-sharegpt-b8").decoder == model("llama3-70b")
    assert published(model("llama3-70b")).tensor == 8
    assert published(decoder_named("e512-h4")) == Parallel(1)


@pytest.mark.parametrize(
    ("name", "error", "text"),
    [
        ("gpt3-7b-sharegtp-b64", UnknownName, "sharegpt"),
        ("gpt3-8b-sharegpt-b64", UnknownName, "gpt3-7b"),
        ("gpt3-7b", UnknownName, "gpt3-7b-alpaca-b64"),
        ("gpt3-7b-sharegpt-b0", InvalidInput, "allowed: 1 to 4096"),
        ("gpt3-7b-sharegpt-b5000", InvalidInput, "allowed: 1 to 4096"),
        ("mixtral-47b-sharegpt-b64", InvalidInput, "mixture of experts"),
        ("e500-h3-sharegpt-b4", InvalidInput, "do not divide"),
        ("e0-h4-sharegpt-b4", InvalidInput, "do not divide"),
        ("e512-h0-sharegpt-b4", InvalidInput, "do not divide"),
        ("gpt3-7b:/nowhere/at/all.csv", TraceError, "cannot be read"),
    ],
)
def test_unknown_workloads_are_named(name, error, text):
    with pytest.raises(error, match=text) as raised:
        NeuPims().simulate(np.zeros((1, len(PARAMETERS)), dtype=np.int32), name)
    assert "\n" not in str(raised.value)
    with pytest.raises(ArchGymError):
        NeuPims().workload_fingerprint(name)


def test_batches_from_files(tmp_path):
    path = tmp_path / "batch.csv"
    rows = list(zip(*CALIBRATION, strict=True))
    path.write_text("seq_len,ch_idx\n" + "".join(f"{n},{ch}\n" for n, ch in rows))
    load = f"e512-h4:{path}"
    assert score(system("neupims"), load) == score(system("neupims"), "calibration")
    before = NeuPims().workload_fingerprint(load)
    assert before == NeuPims().workload_fingerprint("calibration")
    other = tmp_path / "other.csv"
    other.write_text("seq_len\n7\n9\n")
    assert workload(f"e512-h4:{other}").channels is None
    assert NeuPims().workload_fingerprint(f"e512-h4:{other}") != before
    for text, why in (
        ("", "expected a header"),
        ("seq_len\n", "expected a header"),
        ("length\n5\n", "expected a header"),
        ("seq_len\n5\n-1\n", ":3: '-1'; expected a whole number from 1"),
        ("seq_len\n0\n", ":2: '0'"),
        ("seq_len\n\u00b2\n", ":2: '\u00b2'; expected a whole number from 1 to 1048575"),
        ("seq_len\n\u0663\n", ":2: '\u0663'"),
        ("seq_len\n" + "9" * 5000 + "\n", ":2: '9"),
        ("seq_len,ch_idx\n5\n", ":2: None"),
        ("seq_len,ch_idx\n5,x\n", ":2: 'x'"),
        ("seq_len\n" + "1\n" * 5000, "5000 requests; allowed: up to 4096"),
    ):
        other.write_text(text)
        with pytest.raises(TraceError, match=why):
            workload(f"e512-h4:{other}")
    other.write_text("seq_len\n3000\n")
    with pytest.raises(InvalidInput, match="3000 tokens; the context is 2048"):
        workload(f"gpt3-7b:{other}")


def test_an_edited_file_and_another_directory_are_read_again(tmp_path, monkeypatch):
    name = "e512-h4:batch.csv"
    simulator, prints = NeuPims(), []
    for folder, lengths in (("a", (7, 9)), ("a", (7, 8, 9)), ("b", (5,))):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        text = "".join(f"{n}\n" for n in lengths)
        (tmp_path / folder / "batch.csv").write_text(f"seq_len\n{text}")
        assert workload(name).batches == (lengths,)
        prints.append(simulator.workload_fingerprint(name))
    assert len(set(prints)) == 3
    (tmp_path / "b" / "batch.csv").unlink()
    with pytest.raises(TraceError, match=r"batch\.csv: cannot be read"):
        workload(name)


@pytest.mark.parametrize("load", ["gpt3-7b-alpaca-b64", "gpt3-7b-sharegpt-b64"])
def test_two_row_buffers_are_never_slower_than_one(load):
    """They may always be used like one, whatever else the design is."""
    simulator = NeuPims()
    rows = simulator.space.sample(150, np.random.default_rng(0))
    rows[:, simulator.space.position("host")] = 0
    pim = simulator.space.position("pim")
    found = []
    for choice in ("single", "dual"):
        rows[:, pim] = PARAMETERS[pim].index(choice)
        found.append(simulator.simulate(rows, load))
    one, two = found
    both = one.ok & two.ok
    assert both.sum() > 100
    assert (two["latency_per_token_ns"][both] <= one["latency_per_token_ns"][both]).all()
    # By hand: a design that lost half a per cent when the second row buffer had to be used.
    changes = {
        "array_rows": 32, "array_cols": 256, "arrays": 4, "scratchpad_kib": 65536, "pim_commands": "fine",
        "pim_issue": "shared", "pim_multipliers": 64, "banks": 16, "packing": "round-robin", "sub_batching": "off",
    }  # fmt: skip
    assert (
        score(system("neupims", **changes), load, "8x4")["tokens_per_s"]
        >= score(system("neupims", pim="single", **changes), load, "8x4")["tokens_per_s"]
    )


@pytest.mark.parametrize(("field", "bound"), [("arrays", 0.03), ("channels", 0.01), ("scratchpad_kib", 0.12)])
def test_what_a_bigger_part_may_cost_is_bounded(field, bound):
    """Refreshes fall elsewhere, and a product held as one tile is not double-buffered: see "Known limits"."""
    simulator = NeuPims()
    rng = np.random.default_rng(1)
    rows = simulator.space.sample(150, rng)
    rows[:, simulator.space.position("host")] = 0
    column = simulator.space.position(field)
    rows[:, column] = rng.integers(0, len(PARAMETERS[column].choices) - 1, len(rows))
    bigger = rows.copy()
    bigger[:, column] += 1
    less, more = (simulator.simulate(designs, "gpt3-7b-alpaca-b64") for designs in (rows, bigger))
    both = less.ok & more.ok
    assert both.sum() > 80
    change = more["latency_per_token_ns"][both] / less["latency_per_token_ns"][both] - 1
    assert change.max() <= bound
    assert change.min() < -bound  # and it pays somewhere


def test_splits():
    assert split_of("published", Parallel(4, 2)) == Parallel(4, 2)
    assert split_of("8x4", Parallel()) == Parallel(8, 4)
    with pytest.raises(InvalidInput, match="allowed"):
        split_of("wide", Parallel())


def test_trends_of_the_paper():
    """Sub-batches cost below 256 requests and pay there on the small model; two row buffers and packing help."""
    simulator = NeuPims()
    names = ("npu+pim-sequencers", "neupims")
    for batch, pays in ((64, False), (128, False), (256, True), (512, True)):
        load = f"gpt3-7b-sharegpt-b{batch}"
        off, on = (score(system("neupims", sub_batching=way), load)["tokens_per_s"] for way in ("off", "on"))
        assert (on > off) == pays, batch
        turns = score(system("neupims", sub_batching="off", packing="round-robin"), load)["tokens_per_s"]
        single = score(system("npu+pim-sequencers"), load)["tokens_per_s"]
        assert off > turns > single
    rows = simulator.space.encode([design(SYSTEMS[name]) for name in names])
    small, large = (simulator.simulate(rows, f"gpt3-7b-sharegpt-b{batch}")["tokens_per_s"] for batch in (64, 512))
    assert large[1] / large[0] > small[1] / small[0]
    assert hardware(system("neupims")).memory.row_buffers == 2
    assert {metric.name for metric in METRICS} >= {"tokens_per_s", "tokens_per_joule", "npu_utilisation"}
