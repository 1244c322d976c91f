"""Work per stage against the operator graph of `sims/llm`, operator by operator, and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archgym.errors import InvalidInput
from archgym.sims.duplex.layers import attention, dense_rows, expert, expert_groups, fit, own_devices
from archgym.sims.duplex.system import System
from archgym.sims.llm.graph import block, output_layer
from archgym.sims.llm.models import MODELS, model

PAPER = ("mixtral-47b", "glam-143b", "grok1-314b", "opt-66b", "llama3-70b")
DECODE, PREFILL = np.array([700, 33, 512]), np.array([120, 17])


def cut(name, devices=4, **changes):
    return model(name), System(devices=devices, **changes)


@pytest.mark.parametrize("devices", [1, 4, 8])
@pytest.mark.parametrize("name", PAPER)
def test_dense_operators_are_those_of_the_graph(name, devices):
    decoder, system = cut(name, devices)
    tokens, last = len(DECODE) + PREFILL.sum(), len(DECODE) + len(PREFILL)
    rows = dense_rows(decoder, system)
    count = np.where(rows[:, 5] > 0, last, tokens)
    flops = (rows[:, 0] * count * rows[:, 3]).sum()
    moved = ((rows[:, 1] + rows[:, 2] * count) * rows[:, 3]).sum()
    words = output_layer(decoder, last, tensor=devices)
    expected_flops, expected_bytes = words.flops, words.bytes
    for layer in range(decoder.layers):
        for op in block(decoder, decode=DECODE, prefill=PREFILL, tensor=devices, moe=decoder.is_moe(layer)):
            inside_expert = op.name.startswith("expert_") or (op.name == "activation" and decoder.is_moe(layer))
            if op.kind in {"gemm", "vector"} and op.name != "softmax" and not inside_expert:
                expected_flops += op.flops
                expected_bytes += op.bytes
    assert flops == pytest.approx(expected_flops, rel=1e-12)
    assert moved == pytest.approx(expected_bytes, rel=1e-12)


@pytest.mark.parametrize("devices", [1, 4, 8])
@pytest.mark.parametrize("name", PAPER)
def test_attention_is_that_of_the_graph(name, devices):
    decoder, system = cut(name, devices)
    work = attention(decoder, system)
    operators = {op.name: op for op in block(decoder, decode=DECODE, prefill=PREFILL, tensor=devices)}
    decode = [operators[part] for part in ("attention_score", "softmax", "attention_value")]
    assert work.decode_flops_per_context * DECODE.sum() == sum(op.flops for op in decode)
    # Scores stay on chip: queries in, keys, values, results out.
    moved = sum(op.kv_bytes for op in decode) + decode[0].input_bytes + decode[2].output_bytes
    assert work.decode_bytes_per_context * DECODE.sum() + work.decode_bytes_per_request * len(DECODE) == moved
    pairs = (PREFILL * (PREFILL + 1) // 2).sum()
    assert work.prefill_flops_per_pair * pairs == operators["attention_prefill"].flops
    assert work.prefill_bytes_per_token * PREFILL.sum() == operators["attention_prefill"].bytes


@pytest.mark.parametrize("name", ["mixtral-47b", "glam-143b", "grok1-314b"])
@pytest.mark.parametrize("slices", [1, 4])
def test_an_expert_is_that_of_the_graph(name, slices):
    decoder, work = model(name), expert(model(name), slices)
    tokens = np.zeros(decoder.experts, dtype=int)
    tokens[0] = 11
    found = [
        op
        for op in block(decoder, decode=np.full(11, 9), tensor=slices, moe=True, expert_tokens=tokens)
        if op.name.startswith("expert_") or op.name == "activation"
    ]
    products = [op for op in found if op.kind == "gemm"]
    assert work.matrices == len(products)
    assert work.flops_per_token * 11 * work.matrices == sum(op.flops for op in products)
    assert (work.fixed_bytes + 11 * work.bytes_per_token) * work.matrices == sum(op.bytes for op in products)
    assert work.activation_flops_per_token * 11 == sum(op.flops for op in found if op.kind == "vector")
    assert work.activation_bytes_per_token * 11 == sum(op.bytes for op in found if op.kind == "vector")


def test_op_per_byte_of_decode_attention_is_the_group():
    # Queries that share a key: 4 in Mixtral, 6 in Grok1, 8 in Llama3, 1 in OPT (Duplex, MICRO 2024, table I).
    for name, group in (("mixtral-47b", 4), ("grok1-314b", 6), ("llama3-70b", 8), ("opt-66b", 1)):
        work = attention(*cut(name))
        assert work.decode_flops_per_context / work.decode_bytes_per_context == pytest.approx(group, rel=0.02)


def test_systems_of_the_paper_hold_the_weights_twice():
    assert [own_devices(model(name)) for name in PAPER] == [4, 8, 16, 4, 4]


@pytest.mark.parametrize(
    ("name", "devices", "split", "expected"),
    [
        ("mixtral-47b", 4, "expert", (4, 1)),
        ("mixtral-47b", 4, "tensor", (1, 4)),
        ("grok1-314b", 16, "expert", (8, 2)),  # more devices than experts: two share each
        ("grok1-314b", 16, "tensor", (2, 8)),  # a node is a group
        ("glam-143b", 8, "expert", (8, 1)),
    ],
)
def test_experts_are_dealt_to_groups(name, devices, split, expected):
    assert expert_groups(*cut(name, devices, expert_split=split)) == expected


def test_experts_that_cannot_be_dealt_evenly_are_refused():
    six = replace(model("mixtral-47b"), experts=6)
    with pytest.raises(InvalidInput, match="6 experts cannot be dealt evenly to 4 groups"):
        expert_groups(six, System(devices=4, expert_split="expert"))
    odd = replace(model("mixtral-47b"), ffn_hidden=14338)
    with pytest.raises(InvalidInput, match="cannot share an expert of width 14338"):
        expert_groups(odd, System(devices=4))


def test_more_experts_a_token_than_there_are_is_refused():
    with pytest.raises(InvalidInput, match="top_k 9 of 8 experts"):
        replace(model("mixtral-47b"), top_k=9)


@pytest.mark.parametrize("name", PAPER)
def test_weights_of_all_devices_are_the_model_and_copies_of_what_is_small(name):
    decoder = MODELS[name]
    system = System(devices=4 if own_devices(decoder) == 4 else 8, stacks=30)
    held = fit(decoder, system)
    total = held.weight_bytes * system.devices
    assert decoder.weight_bytes() <= total < decoder.weight_bytes() * 1.001
    room = system.capacity_bytes - held.weight_bytes
    assert held.kv_tokens <= room / held.kv_bytes_per_token


def test_two_nodes_share_the_experts_and_copy_the_rest():
    decoder = model("grok1-314b")
    experts = decoder.moe_layers * decoder.experts * decoder.ffn_parameters() * 2
    one = fit(decoder, System(devices=8, stacks=8)).weight_bytes
    two = fit(decoder, System(devices=16, stacks=8)).weight_bytes
    assert one - two == pytest.approx(experts / 16)


def test_a_section_kept_for_prompts_leaves_less_for_cached_keys():
    decoder = model("mixtral-47b")
    together, apart = (fit(decoder, System(attention_coprocessing=on)).kv_tokens for on in (True, False))
    experts = 32 * 8 * 3 * 4096 * 14336 * 2 / 4
    assert together == int(0.75 * (80 * 2**30 - experts) // (2 * 32 * 2 * 128 * 2))
    assert together < apart


def test_what_does_not_fit_says_how_much_is_missing():
    with pytest.raises(InvalidInput, match=r"weights need 93405585408 bytes on each of 1 devices, 85899345920 are"):
        fit(model("mixtral-47b"), System(devices=1))
    with pytest.raises(InvalidInput, match="tensor degree 8 does not divide its 12 heads"):
        fit(replace(model("mixtral-47b"), heads=12, kv_heads=4), System(devices=8))
