"""A bench passes what is right, and says what is wrong with what is not."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.bench.run import run

SMALL = {"Width": 8, "Guard": 4}
SPIN = """\
  always_comb begin
    spin = 12'(last_i) + 1;
    while (spin != 0) spin = (spin == 7) ? 1 : spin + 1;
  end
endmodule
"""
icarus = pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")


def test_a_right_block_passes_and_is_covered(sum_block):
    outcome = run(sum_block(), SMALL)
    assert outcome.passed, outcome.fault
    assert outcome.beats > 500
    assert outcome.cycles > outcome.beats
    # Everything but the parameter choices of other points.
    assert all(each.startswith("parameter") for each in outcome.coverage.missing())


def test_values_wider_than_a_machine_word_of_the_simulator_pass(sum_block):
    outcome = run(sum_block(), {"Width": 40, "Guard": 6})
    assert outcome.passed, outcome.fault


def test_the_same_seed_gives_the_same_bench(sum_block):
    first, second, other = (run(sum_block(), SMALL, seed=seed) for seed in (3, 3, 4))
    assert (first.beats, first.cycles) == (second.beats, second.cycles) != (other.beats, other.cycles)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sum_o = sum_q;", "sum_o = (last_i && !in_ready_o) ? ~sum_q : sum_q;", "sum_o changed while"),
        ("!valid_q || out_ready_i", "1'b1", "out_valid_o fell before"),
        ("valid_o = valid_q;", "valid_o = valid_q && (in_ready_o || last_i);", "out_valid_o fell before"),
        ("valid_q <= 1'b0;", "valid_q <= 1'b1;", "out_valid_o is high after reset, before any input"),
        ("      busy_q <= 1'b0;\n", "", "sum_o"),
        ("if (accept) sum_q <= next;", "if (in_valid_i) sum_q <= next;", "sum_o"),
        ("in_valid_i && last_i", "last_i", "out_valid_o"),
        ("if (in_ready_o) valid_q <= in_valid_i && last_i;", "valid_q <= 1'b0;", "nothing moved for"),
        ("!valid_q || out_ready_i", "out_ready_i && valid_q", "nothing moved for"),
        ("{{Guard{data_i[Width-1]}}, data_i}", "{{Guard{1'b0}}, data_i}", "expected -"),
    ],
)  # fmt: skip
def test_a_broken_block_is_caught(sum_block, old, new, said):
    outcome = run(sum_block((old, new)), SMALL)
    assert outcome.built
    assert said in outcome.fault


def test_a_wrong_golden_model_is_caught(sum_block):
    right = sum_block()

    def off_by_one_once(p, streams):
        sums = right.golden(p, streams)["sum_o"].copy()
        sums[-1] ^= 1
        return {"sum_o": sums}

    outcome = run(sum_block(golden=off_by_one_once), SMALL)
    assert "sum_o, beat" in outcome.fault
    assert "expected" in outcome.fault


@pytest.mark.parametrize(
    ("keep", "said"), [(slice(-1), "out_valid_o is high although all"), (slice(None), "nothing moved")]
)
def test_results_too_many_and_too_few_are_caught(sum_block, keep, said):
    right = sum_block()

    def wrong(p, streams):
        sums = right.golden(p, streams)["sum_o"]
        return {"sum_o": np.append(sums, 0)[:-1][keep] if keep.stop else np.append(sums, 0)}

    assert said in run(sum_block(golden=wrong), SMALL).fault


@icarus
def test_icarus_passes_the_right_block_and_sees_unknown_values(sum_block):
    outcome = run(sum_block(), SMALL, simulator="icarus")
    assert outcome.passed, outcome.fault
    outcome = run(sum_block(("      valid_q <= 1'b0;\n", "")), SMALL, simulator="icarus")
    assert "out_valid_o is X" in outcome.fault
    outcome = run(sum_block(("busy_q ? sum_q : '0", "sum_q")), SMALL, simulator="icarus")
    assert "sum_o is XXXX" in outcome.fault


def test_registers_start_at_random_so_a_forgotten_reset_shows(sum_block):
    broken = sum_block(("      valid_q <= 1'b0;\n", ""), ("busy_q <= !last_i;", "busy_q <= !last_i && !1'b0;"))
    assert any(run(broken, SMALL, seed=seed).fault for seed in range(4))


def test_an_assertion_of_the_rtl_fails_the_bench_with_its_sentence(sum_block):
    rule = "endmodule\n`define RULE"
    text = '  always_ff @(posedge clk_i) if (rst_ni && out_valid_o && !out_ready_i) $error("a result waits");\n' + rule
    outcome = run(sum_block(("endmodule\n", text)), SMALL)
    assert "a result waits" in outcome.fault


def test_a_hang_is_stopped(sum_block):
    outcome = run(
        sum_block(("endmodule\n", SPIN), ("sum_q, next;", "sum_q, next, spin;"), ("= sum_q;", "= sum_q ^ spin;")),
        SMALL,
        seconds=5,
    )
    assert "took over 5 s and was stopped" in outcome.fault


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # the child does nothing but run the bench
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_killed_bench_leaves_no_simulation_running(sum_block):
    spinning = sum_block(("endmodule\n", SPIN), ("sum_q, next;", "sum_q, next, spin;"), ("= sum_q;", "= sum_q ^ spin;"))
    run(spinning, SMALL, seconds=1)  # builds it
    bench = multiprocessing.get_context("fork").Process(target=run, args=(spinning, SMALL), kwargs={"seconds": 60})
    bench.start()
    children = Path(f"/proc/{bench.pid}/task/{bench.pid}/children")
    simulation = _soon(lambda: next((pid for pid in children.read_text().split() if _plays(pid)), ""))
    assert simulation
    os.kill(bench.pid, signal.SIGKILL)
    bench.join()
    assert _soon(lambda: not _plays(simulation))


def _plays(pid):
    with suppress(OSError):  # it has ended
        return b"+verilator+seed" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _soon(seen):
    until = time.monotonic() + 30
    while not (found := seen()) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_syntax_error_is_reported_with_file_and_line(sum_block):
    outcome = run(sum_block(("assign out_valid_o = valid_q;", "assign out_valid_o valid_q;")), SMALL)
    assert not outcome.built
    assert "running_sum.sv:17" in outcome.fault
    assert "syntax error" in outcome.fault


def test_every_vector_of_a_small_combinational_block_is_tried(parity_block):
    outcome = run(parity_block, {"Width": 4})
    assert outcome.passed, outcome.fault
    assert outcome.beats == 256
    wide = run(parity_block, {"Width": 16})
    assert wide.passed, wide.fault
    assert wide.beats == 1000


def test_bad_requests_are_refused(sum_block):
    with pytest.raises(InvalidInput, match="not kind 'pipeline' with other names"):
        run(sum_block(kind="pipeline"), SMALL)
    with pytest.raises(InvalidInput, match="Guard must be at most Width"):
        run(sum_block(), {"Width": 4, "Guard": 6})
    with pytest.raises(UnknownName, match="did you mean 'icarus'"):
        run(sum_block(), SMALL, simulator="icaros")
    with pytest.raises(InvalidInput, match="port data_i, beat 0, lane 0: 128 is not in -128 to 127"):
        run(sum_block(corners=lambda p: {"data_i": np.array([128]), "last_i": np.array([1])}), SMALL)
    with pytest.raises(InvalidInput, match="its stimulus gives"):
        run(sum_block(golden=lambda p, s: {"sum_o": s["last_i"]}, corners=lambda p: {"data_i": np.array([1])}), SMALL)
