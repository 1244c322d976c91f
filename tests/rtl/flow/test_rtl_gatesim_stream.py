"""The valid/ready protocol at gate level: back-pressure, hangs, beats too many, and comparison with a golden model."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hand_cells import library, net_named, netlist

from archgym.errors import InvalidInput
from archgym.rtl.block import Block, Port
from archgym.rtl.flow.gatesim import Handshake, build_model, run_stream
from archgym.rtl.flow.gatesim_check import check, difference, simulate, stimuli

PORTS = (Port("a_i", "in", 2, 2), Port("y_o", "out", 2, 2))
BITS = [f"{letter}{bit}" for letter in "ab" for bit in range(2)]


def stage(*, ready="go", valid="v", inverted=True):
    """One register deep: it takes a beat when empty or emptied in the same cycle, and gives it inverted.

    `ready` and `valid` name the nets at the handshake outputs, so that faults can be planted.
    """
    cells = [
        ("INV", {"A": "v", "Y": "empty"}),
        ("INV", {"A": "out_ready", "Y": "stalled"}),
        ("NAND2", {"A": "v", "B": "stalled", "Y": "go"}),
        ("NAND2", {"A": "in_valid", "B": "go", "Y": "taking_n"}),
        ("INV", {"A": "taking_n", "Y": "taking"}),
        ("INV", {"A": "go", "Y": "full"}),
        ("NAND2", {"A": "taking_n", "B": "go", "Y": "next"}),  # taking or full
        ("NAND2", {"A": "next", "B": "rst", "Y": "d_n"}),
        ("INV", {"A": "d_n", "Y": "d"}),
        ("DFF", {"CK": "clk", "D": "d", "Q": "v", "QN": "vn"}),
    ]
    for bit in BITS:
        out = "QN" if inverted else "Q"
        cells += [
            ("MUX2", {"A": f"q{bit}", "B": bit, "S": "taking", "Y": f"d{bit}"}),
            ("DFF", {"CK": "clk", "D": f"d{bit}", "Q": f"q{bit}", "QN": f"n{bit}"}),
            ("BUF", {"A": f"q{bit}" if out == "Q" else f"n{bit}", "Y": f"y{bit}"}),
        ]
    inputs = {
        "clk_i": ["clk"],
        "rst_ni": ["rst"],
        "in_valid_i": ["in_valid"],
        "out_ready_i": ["out_ready"],
        "a_i": BITS,
    }
    return netlist(inputs, {"in_ready_o": [ready], "out_valid_o": [valid], "y_o": [f"y{bit}" for bit in BITS]}, cells)


def stimulus(_parameters, generator, count, draw=None):
    return {"a_i": generator.integers(0, 4, (count, 2))}


BLOCK = Block(
    name="stage",
    family="test",
    top="top",
    kind="stream",
    sources=(),
    parameters=(),
    ports=lambda _parameters: PORTS,
    golden=lambda _parameters, streams: {"y_o": 3 - streams["a_i"]},
    stimulus=stimulus,
    corners=lambda _parameters: {"a_i": np.array([[0, 3], [3, 0]])},
)


def lanes_of(count):
    return [stimulus({}, np.random.default_rng(lane), 5 + lane) for lane in range(count)]


def test_beats_come_out_in_order_at_full_speed():
    lanes = lanes_of(64)
    run, golden = simulate(build_model(stage(), library()), BLOCK, {}, lanes)
    assert run.hang == ""
    for lane, streams in enumerate(lanes):
        assert (run.outputs[lane]["y_o"] == 3 - streams["a_i"]).all()
        assert (golden[lane]["y_o"] == 3 - streams["a_i"]).all()
    # one cycle to fill, then a beat a cycle
    assert run.cycles.tolist() == [6 + lane for lane in range(64)]
    assert run.taken.tolist() == run.given.tolist() == [5 + lane for lane in range(64)]
    assert run.activity.cycles == run.cycles.sum()


@pytest.mark.parametrize(("idle", "stall"), [(0.5, 0.0), (0.0, 0.5), (0.4, 0.7)])
def test_idle_inputs_and_stalled_outputs_change_the_time_and_nothing_else(idle, stall):
    lanes = lanes_of(64)
    run, golden = simulate(build_model(stage(), library()), BLOCK, {}, lanes, idle=idle, stall=stall, extra=9)
    assert all((got["y_o"] == want["y_o"]).all() for got, want in zip(run.outputs, golden, strict=True))
    assert run.given.tolist() == [5 + lane for lane in range(64)]
    rate = run.given.sum() / run.cycles.sum()
    # a beat a cycle where neither side waits; the register decouples nothing at these depths
    assert (1 - idle) * (1 - stall) - 0.05 < rate < min(1 - idle, 1 - stall) + 0.05


def test_idle_cycles_hold_the_data_and_cost_no_transition():
    beats = {"a_i": np.array([[0, 0], [3, 3]] * 20)}
    model = build_model(stage(), library())
    busy, idle = (run_stream(model, PORTS, [beats] * 64, [40] * 64, idle=chance) for chance in (0.0, 0.5))
    net = net_named(model.netlist, "a0")
    assert busy.activity.toggles[net] == idle.activity.toggles[net] == 39 * 64
    assert idle.activity.cycles > 1.5 * busy.activity.cycles


def test_a_hang_is_a_sentence_and_ends_soon():
    model = build_model(stage(valid="0"), library())
    run = run_stream(model, PORTS, lanes_of(3), [5, 6, 0], still=100)
    assert run.hang == (
        "no beat moved for 100 cycles: 2 of 3 lanes hang, lane 0 gave 0 of 5 expected output beats and took 5 of 5 "
        "input beats"
    ).replace("took 5", f"took {run.taken[0]}")
    assert run.cycles.tolist()[2] == 0


def test_the_comparison_passes_a_right_netlist_and_names_the_first_wrong_beat():
    assert check(BLOCK, {}, stage(), library(), beats=20) is None
    wrong = check(BLOCK, {}, stage(inverted=False), library())
    assert wrong is not None
    assert (wrong.port, wrong.beat, wrong.lane) == ("y_o", 0, 0)
    assert str(wrong) == "stimulus 0, port y_o, beat 0: expected [3, 0], got [0, 3]"
    deaf = check(BLOCK, {}, stage(ready="0"), library(), beats=4)  # the first beat is taken again and again
    assert str(deaf) == "stimulus 0, port y_o, beat 1: expected [0, 3], got [3, 0]"
    silent = check(BLOCK, {}, stage(valid="0"), library(), beats=4)
    assert "from beat 0: expected 6 beats, got 0 beats: no beat moved" in str(silent)
    early = check(BLOCK, {}, stage(valid="1"), library(), beats=4)  # before the first beat was taken
    assert early is not None
    assert early.port == "y_o"


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_a_golden_model_may_give_one_lane_with_or_without_an_axis(shape):
    ports = (Port("y_o", "out", 8),)
    run = SimpleNamespace(given=[3], outputs=[{"y_o": np.array([5, 6, 7])}], hang="")
    assert difference(ports, [{"y_o": np.array([5, 6, 7]).reshape(shape)}], run) is None
    found = difference(ports, [{"y_o": np.array([5, 9, 7]).reshape(shape)}], run)
    assert found is not None
    assert (found.port, found.beat, found.got) == ("y_o", 1, "6")


def test_beats_too_many_are_noticed():
    fewer = replace(BLOCK, golden=lambda _parameters, streams: {"y_o": 3 - streams["a_i"][:-1]}, corners=None)
    wrong = check(fewer, {}, stage(), library(), beats=4)
    assert str(wrong) == "stimulus 0, from beat 3: expected 3 beats, got 4 beats"


def test_stimuli_are_independent_and_begin_with_the_corners():
    found = stimuli(BLOCK, {}, beats=30, lanes=3)
    assert found[0]["a_i"][:2].tolist() == [[0, 3], [3, 0]]
    assert [len(each["a_i"]) for each in found] == [32, 30, 30]
    assert (found[1]["a_i"] != found[2]["a_i"]).any()


def test_combinational_blocks_are_checked_without_a_handshake():
    circuit = netlist(
        {"a_i": BITS}, {"y_o": [f"y{bit}" for bit in BITS]}, [("INV", {"A": bit, "Y": f"y{bit}"}) for bit in BITS]
    )
    plain = replace(BLOCK, kind="combinational")
    assert check(plain, {}, circuit, library()) is None
    twisted = replace(plain, golden=lambda _parameters, streams: {"y_o": 3 - streams["a_i"][:, ::-1]})
    assert "port y_o, beat 0" in str(check(twisted, {}, circuit, library()))


def test_other_names_of_the_handshake_and_bad_probabilities():
    circuit = stage()
    renamed = Handshake("in_valid_i", "in_ready_o", "out_valid_o", "out_ready_i")
    run = run_stream(build_model(circuit, library()), PORTS, lanes_of(1), [5], handshake=renamed)
    assert run.given.tolist() == [5]
    with pytest.raises(InvalidInput, match="stall is a probability from 0 to below 1, got 1"):
        run_stream(build_model(circuit, library()), PORTS, lanes_of(1), [5], stall=1.0)
