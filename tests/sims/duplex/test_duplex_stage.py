"""Whole stages against a second implementation: operators from `sims/llm`, one by one, layer by layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.sims.duplex.gates import expert_tokens
from archgym.sims.duplex.kernel_stage import FLOPS, LINK_BYTES, PIM_BUSY, PIM_BYTES, TIME, XPU_BUSY, XPU_BYTES
from archgym.sims.duplex.layers import expert_groups
from archgym.sims.duplex.serving import StageModel
from archgym.sims.duplex.system import System
from archgym.sims.llm.collectives import allgather_s, allreduce_s, alltoall_s, reduce_scatter_s
from archgym.sims.llm.graph import block, output_layer
from archgym.sims.llm.models import model

TINY = replace(
    model("mixtral-47b"), layers=3, hidden=256, heads=16, kv_heads=8, head_dim=16, ffn_hidden=512, vocab=1000
)
SPARSE = replace(TINY, layers=4, moe_every=2, ffn_matrices=2, kv_heads=16)
DENSE = replace(TINY, experts=0, top_k=0)
NO_HELP = {"attention_coprocessing": False, "expert_coprocessing": False}


def roofline(flops, moved, unit):
    return max(flops / unit[0], moved / unit[1])


class Plain:
    """Stages of whole-expert systems, requests dealt to nodes by hand; sums are those of all devices."""

    def __init__(self, decoder, system):
        self.decoder, self.system, self.merged = decoder, system, system.merged_reduction
        self.xpu = (system.xpu_flops_per_s, system.xpu_bytes_per_s)
        self.pim = (system.pim_flops_per_s, system.pim_bytes_per_s) if system.pim != "none" else None

    def stage(self, decode, prefill):
        tokens = len(decode) + sum(prefill)
        nodes = self.system.nodes
        # Requests go to the nodes in turn, the cache is spread evenly: the fullest node has the first of each.
        most = decode[::nodes], prefill[::nodes]
        found = np.zeros(7)
        for layer in range(self.decoder.layers):
            moe = self.decoder.is_moe(layer)
            self._dense(block(self.decoder, decode=most[0], prefill=most[1], tensor=self.system.tensor, moe=moe), found)
            if moe:
                drawn = expert_tokens(self.decoder, (tokens,), 0)[0][self._moe_index(layer)]
                self._experts(drawn, tokens, found)
            self._links(tokens, len(most[0]) + sum(most[1]), moe, found)
        self._run(output_layer(self.decoder, len(most[0]) + len(most[1]), tensor=self.system.tensor), found)
        return found

    def _moe_index(self, layer):
        return sum(self.decoder.is_moe(below) for below in range(layer))

    def _run(self, op, found, moved=None, flops=None):
        moved = op.bytes if moved is None else moved
        flops = op.flops if flops is None else flops
        times = [roofline(flops, moved, self.xpu)]
        if self.pim and ((self.system.offload == "all" and op.kind == "gemm") or op.kind == "attention"):
            times.append(roofline(flops, moved, self.pim))
        best = int(np.argmin(times))
        found[TIME] += times[best]
        found[(XPU_BUSY, PIM_BUSY)[best]] += times[best]
        found[(XPU_BYTES, PIM_BYTES)[best]] += moved * self.system.tensor
        found[FLOPS] += flops * self.system.tensor

    def _dense(self, operators, found):
        decode = {op.name: op for op in operators if op.name in {"attention_score", "softmax", "attention_value"}}
        seen_gate = False
        for op in operators:
            seen_gate |= op.name == "gate"
            if op.name == "attention_score":
                parts = decode.values()
                moved = sum(o.kv_bytes for o in parts) + op.input_bytes + decode["attention_value"].output_bytes
                self._run(op, found, moved, sum(o.flops for o in parts))
            elif op.name not in decode and op.kind != "allreduce" and not (seen_gate and op.name != "gate"):
                self._run(op, found)

    def _experts(self, counts, tokens, found):
        groups, slices = expert_groups(self.decoder, self.system)
        local, longest = self.decoder.experts // groups, 0.0
        for group in range(groups):
            loads = [load for load in counts[group * local : (group + 1) * local].tolist() if load]
            # In turn, each where it is faster; or all on the xPU, which then has nothing to hand over.
            tries = [self._in_turn(loads, tokens, slices, self.xpu), self._in_turn(loads, tokens, slices, self.xpu)]
            if self.pim and self.system.offload != "attention":
                tries[1] = self._in_turn(loads, tokens, slices, self.xpu, self.pim)
            best = min(tries, key=lambda one: one[0] + one[1])
            longest = max(longest, best[0] + best[1])
            found[XPU_BUSY] += best[0] / groups
            found[PIM_BUSY] += best[1] / groups
            found[XPU_BYTES] += best[2]
            found[PIM_BYTES] += best[3]
        found[TIME] += longest
        one_token = block(self.decoder, decode=[1], moe=True, expert_tokens=[1] + [0] * (self.decoder.experts - 1))
        per_visit = sum(op.flops for op in one_token if op.name.startswith("expert_") or op.name == "activation")
        found[FLOPS] += per_visit * tokens * self.decoder.top_k

    def _in_turn(self, loads, tokens, slices, *units):
        """(xPU seconds, units' seconds, bytes over each) of the experts of a group, one after the other."""
        spent, moved, visits = [0.0, 0.0], [0.0, 0.0], 0
        for load in loads:
            one = [load] + [0] * (self.decoder.experts - 1)
            operators = [
                op
                for op in block(self.decoder, decode=[1] * load, tensor=slices, moe=True, expert_tokens=one)
                if op.name.startswith("expert_") or op.name == "activation"
            ]
            times = [sum(roofline(op.flops, op.bytes, unit) for op in operators) for unit in units]
            best = int(np.argmin(times))
            spent[best] += times[best]
            moved[best] += sum(op.bytes for op in operators) * slices
            visits += load * best
        handed = 2 * self.system.stacks * min(visits, tokens) * self.decoder.hidden * 2
        return spent[0] + handed / self.xpu[1], spent[1], moved[0] + handed * slices, moved[1]

    def _links(self, tokens, most, moe, found):
        nodes, ranks = self.system.nodes, self.system.tensor
        link = (self.system.link_gb_per_s * 1e9, self.system.link_s)
        row = self.decoder.hidden * 2
        # After attention, after the network; and over the slices of experts, if that is a step of its own.
        times = 3 if moe and nodes == 1 and self.system.expert_split == "tensor" and not self.merged else 2
        found[TIME] += times * float(allreduce_s(most * row, ranks, *link))
        found[LINK_BYTES] += times * 2 * (ranks - 1) * tokens * row
        if moe and nodes > 1:
            sent = most * row * self.decoder.top_k / ranks
            arriving = tokens * row * self.decoder.top_k * (nodes - 1) / nodes**2
            found[TIME] += 2 * float(alltoall_s(sent, nodes, 50e9, 130e-9))
            found[TIME] += float(allgather_s(arriving, ranks, *link) + reduce_scatter_s(arriving, ranks, *link))
            found[LINK_BYTES] += 2 * nodes * arriving + 2 * (ranks - 1) * nodes * arriving


SYSTEMS = {
    "GPU": System(pim="none"),
    "GPU, whole experts": System(pim="none", expert_split="expert"),
    "one device": System(devices=1, **NO_HELP),
    "Duplex": System(**NO_HELP),
    "one all-reduce": System(merged_reduction=True, **NO_HELP),
    "Duplex, whole experts": System(expert_split="expert", **NO_HELP),
    "attention only": System(offload="attention", **NO_HELP),
    "every product": System(offload="all", **NO_HELP),
    "Bank-PIM": System(pim="bank", pim_bandwidth=16, pim_op_per_byte=1, **NO_HELP),
}


@pytest.mark.parametrize("decoder", [TINY, SPARSE, DENSE], ids=["experts", "every other layer", "dense"])
@pytest.mark.parametrize("name", SYSTEMS)
def test_a_stage_is_the_sum_of_its_operators(name, decoder):
    system = SYSTEMS[name]
    for decode, prefill in (([9], []), ([40, 7, 300, 11, 5], []), ([], [64]), ([30, 31, 90], [17, 80])):
        found = StageModel(decoder, system, exact_tokens=150, most_tokens=200).stage(
            np.array(decode, dtype=np.int64), np.array(prefill, dtype=np.int64)
        )
        np.testing.assert_allclose(found, Plain(decoder, system).stage(decode, prefill), rtol=1e-9)


@pytest.mark.parametrize("split", ["expert", "tensor"])
def test_two_nodes(split):
    # Equal requests in equal numbers: what the fullest node has is what each has.
    system = System(devices=16, expert_split=split, **NO_HELP)
    wide = replace(TINY, heads=16, kv_heads=8)
    model_ = StageModel(wide, system, exact_tokens=100, most_tokens=120)
    for decode, prefill in (([50] * 4, []), ([50] * 6, [20] * 2)):
        found = model_.stage(np.array(decode), np.array(prefill, dtype=np.int64))
        plain = Plain(wide, system).stage(decode, prefill)
        np.testing.assert_allclose(found[[TIME, XPU_BUSY, PIM_BUSY, LINK_BYTES]],
                                   plain[[TIME, XPU_BUSY, PIM_BUSY, LINK_BYTES]], rtol=1e-9)  # fmt: skip


def test_an_odd_request_makes_its_node_wait_for():
    system = System(devices=16, pim="none")
    model_ = StageModel(TINY, system, exact_tokens=8, most_tokens=80)
    none = np.zeros(0, dtype=np.int64)
    one, two = (model_.stage(none, np.full(n, 30)) for n in (1, 2))
    # Dense work takes one node as long as two requests take two; only the experts and links carry more.
    assert one[TIME] < two[TIME] < 1.2 * one[TIME]
    assert one[FLOPS] == pytest.approx(two[FLOPS] / 2)


def test_prompts_beside_decoding_take_the_longer_of_both_and_the_move():
    decoder = replace(DENSE, layers=1)
    apart, beside = (
        StageModel(decoder, System(devices=1, attention_coprocessing=on), exact_tokens=1, most_tokens=1)
        for on in (False, True)
    )
    decode, prefill = np.full(64, 3000), np.array([2000])
    slow, fast = apart.stage(decode, prefill), beside.stage(decode, prefill)
    operators = {op.name: op for op in block(decoder, decode=decode, prefill=prefill)}
    xpu = (System().xpu_flops_per_s, System().xpu_bytes_per_s)
    prompt_s = roofline(operators["attention_prefill"].flops, operators["attention_prefill"].bytes, xpu)
    move_s = 2 * 2 * 2000 * decoder.kv_width * 2 / xpu[1]  # read and written, keys and values
    assert slow[TIME] - fast[TIME] == pytest.approx(min(prompt_s, slow[PIM_BUSY]) - move_s, rel=1e-6)
    assert fast[PIM_BUSY] == pytest.approx(slow[PIM_BUSY])
    # With nothing to work beside, nothing is moved.
    none = np.zeros(0, dtype=np.int64)
    np.testing.assert_array_equal(apart.stage(none, prefill), beside.stage(none, prefill))


STAGES = st.tuples(st.lists(st.integers(1, 4000), max_size=40), st.lists(st.integers(1, 1500), max_size=3)).filter(any)
UNITS = st.sampled_from(["none", "logic", "bank-group", "bank"])


@settings(max_examples=60, deadline=None)
@given(
    stage=STAGES,
    pim=UNITS,
    split=st.sampled_from(["expert", "tensor"]),
    moe=st.booleans(),
    devices=st.sampled_from([1, 4, 16]),
)
def test_better_hardware_and_more_freedom_are_never_slower(stage, pim, split, moe, devices):
    decoder = replace(TINY if moe else DENSE, context=8192)
    decode, prefill = (np.array(part, dtype=np.int64) for part in stage)

    def seconds(**changes):
        given_ = {"pim": pim, "expert_split": split, "devices": devices, **NO_HELP, **changes}
        return StageModel(decoder, System(**given_), exact_tokens=64, most_tokens=5000).stage(decode, prefill)

    base = seconds()
    limit = base[TIME] * (1 + 1e-9)
    assert base[XPU_BUSY] <= limit
    assert base[PIM_BUSY] <= limit
    for better in (
        {"attention_coprocessing": True},
        {"expert_coprocessing": True},
        {"offload": "all"},
        {"merged_reduction": True},
        {"pim_op_per_byte": 16},
        {"pim_bandwidth": 8},
        {"stacks": 8},
        {"link_gb_per_s": 900},
        {"memory": "peak"},
    ):
        assert seconds(**better)[TIME] <= limit, better
    if pim != "none":
        assert base[TIME] <= seconds(pim="none")[TIME] * (1 + 1e-9)


@settings(max_examples=40, deadline=None)
@given(stage=STAGES, pim=UNITS, help_=st.booleans())
def test_nothing_compulsory_is_left_out(stage, pim, help_):
    system = System(pim=pim, devices=4, attention_coprocessing=help_, expert_coprocessing=help_)
    decode, prefill = (np.array(part, dtype=np.int64) for part in stage)
    found = StageModel(DENSE, system, exact_tokens=1, most_tokens=1).stage(decode, prefill)
    weights = DENSE.weight_bytes() - DENSE.vocab * DENSE.hidden * 2 - (2 * DENSE.layers + 1) * DENSE.hidden * 2
    cached = (decode.sum() + prefill.sum()) * DENSE.kv_bytes_per_token()
    assert found[XPU_BYTES] + found[PIM_BYTES] >= weights + cached
    tokens = len(decode) + prefill.sum()
    matrices = DENSE.layers * (DENSE.attention_parameters() + DENSE.ffn_parameters())
    assert found[FLOPS] >= 2 * tokens * matrices
    # No device works faster than its peaks.
    assert found[FLOPS] / 4 <= found[TIME] * (system.xpu_flops_per_s + system.pim_flops_per_s)
    assert found[XPU_BYTES] / 4 <= found[XPU_BUSY] * system.xpu_bytes_per_s * (1 + 1e-9)
    assert found[PIM_BYTES] / 4 <= found[PIM_BUSY] * system.pim_bytes_per_s * (1 + 1e-9) + 1e-6


def test_between_tabulated_numbers_of_tokens_experts_are_interpolated_closely():
    coarse = StageModel(model("mixtral-47b"), System(), exact_tokens=16, most_tokens=4000)
    none = np.zeros(0, dtype=np.int64)
    for tokens in (190, 777, 3001):
        exact = StageModel(model("mixtral-47b"), System(), exact_tokens=tokens, most_tokens=tokens)
        prompt = np.array([tokens])
        assert coarse.stage(none, prompt)[TIME] == pytest.approx(exact.stage(none, prompt)[TIME], rel=0.01)
