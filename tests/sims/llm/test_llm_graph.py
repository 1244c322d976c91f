from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput
from archgym.sims.llm.graph import LAYERNORM_OPS, SOFTMAX_OPS, block, check_lengths, output_layer
from archgym.sims.llm.models import MODELS, Decoder, model
from archgym.sims.llm.routing import random_tokens


def by_name(operators):
    found = {}
    for operator in operators:
        found.setdefault(operator.name, operator)
    return found


def test_gpt3_7b_decode_of_256_requests_by_hand():
    # Width 4096 over 4 ranks: 8 heads of 128, 1024 wide; 256 requests at 300 tokens: 76,800 keys a head.
    operators = block(model("gpt3-7b"), decode=np.full(256, 300), tensor=4)
    assert [operator.name for operator in operators] == [
        "layernorm", "qkv", "attention_score", "softmax", "attention_value", "projection", "layernorm",
        "ffn_up", "activation", "ffn_down", "allreduce",
    ]  # fmt: skip
    found = by_name(operators)
    table = {  # flops, weights, inputs, outputs, keys or values
        "qkv": (6_442_450_944, 25_165_824, 2_097_152, 1_572_864, 0),
        "attention_score": (157_286_400, 0, 524_288, 1_228_800, 157_286_400),
        "attention_value": (157_286_400, 0, 1_228_800, 524_288, 157_286_400),
        "projection": (2_147_483_648, 8_388_608, 524_288, 2_097_152, 0),
        "ffn_up": (8_589_934_592, 33_554_432, 2_097_152, 2_097_152, 0),
        "ffn_down": (8_589_934_592, 33_554_432, 2_097_152, 2_097_152, 0),
        "layernorm": (7 * 1_048_576, 0, 2_097_152, 2_097_152, 0),
        "softmax": (5 * 614_400, 0, 1_228_800, 1_228_800, 0),
        "activation": (1_048_576, 0, 2_097_152, 2_097_152, 0),
        "allreduce": (0, 0, 4_194_304, 4_194_304, 0),
    }
    for name, expected in table.items():
        o = found[name]
        assert (o.flops, o.weight_bytes, o.input_bytes, o.output_bytes, o.kv_bytes) == expected, name
    assert found["qkv"].op_per_byte == pytest.approx(6_442_450_944 / 28_835_840)
    assert found["attention_score"].op_per_byte == pytest.approx(0.989, abs=0.001)
    assert found["ffn_up"].op_per_byte == pytest.approx(227.56, abs=0.01)


# Duplex, MICRO'24, section 3: MoE 1 to 32 Op/B in decoding, grouped-query attention 4 to 8, multi-head attention 1.
@pytest.mark.parametrize("batch", [32, 64, 128])
@pytest.mark.parametrize(("name", "share"), [("mixtral-47b", 4), ("grok1-314b", 4), ("glam-143b", 32)])
def test_experts_of_decoding_batches_have_1_to_32_op_per_byte(name, share, batch):
    decoder = model(name)
    up = by_name(block(decoder, decode=np.full(batch, 500), moe=True))["expert_up"]
    m, n, k = batch // share, decoder.ffn_hidden, decoder.hidden
    assert (up.m, up.n, up.k, up.count) == (m, n, k, decoder.experts)
    assert up.op_per_byte == pytest.approx(2 * m * n * k / (2 * (m * k + k * n + m * n)))
    assert 0.99 < up.op_per_byte <= 32


@pytest.mark.parametrize(
    ("name", "group"), [("mixtral-47b", 4), ("grok1-314b", 6), ("llama3-70b", 8), ("gpt3-7b", 1), ("glam-143b", 1)]
)
def test_attention_reads_a_key_for_as_many_operations_as_heads_share_it(name, group):
    found = by_name(block(model(name), decode=np.full(64, 1000)))
    for part in ("attention_score", "attention_value"):
        # 2 x group x 128 operations to 256 bytes of a key, and 2 bytes of score for each head that shares it.
        assert found[part].op_per_byte == pytest.approx(256 * group / (256 + 2 * group + 256 * group / 1000))
        assert 0.93 * group < found[part].op_per_byte < group


def sizes(**limits):
    return st.integers(**limits)


@st.composite
def decoders(draw):
    tensor = draw(st.sampled_from([1, 2, 4]))
    kv = tensor * draw(sizes(min_value=1, max_value=2))
    experts = draw(st.sampled_from([0, 2, 5]))
    decoder = Decoder(
        "any", draw(sizes(min_value=1, max_value=4)), draw(sizes(min_value=1, max_value=40)),
        kv * draw(sizes(min_value=1, max_value=3)), kv, draw(sizes(min_value=1, max_value=9)),
        tensor * draw(sizes(min_value=1, max_value=11)), draw(st.sampled_from([2, 3])), experts=experts,
        top_k=draw(sizes(min_value=1, max_value=experts)) if experts else 0,
        moe_every=draw(sizes(min_value=1, max_value=2)), context=100, vocab=4 * draw(sizes(min_value=1, max_value=9)),
    )  # fmt: skip
    return decoder, tensor


lengths = st.lists(st.integers(1, 100), max_size=6)


@settings(max_examples=150, deadline=None)
@given(decoders(), lengths, lengths)
def test_all_ranks_and_layers_do_two_operations_a_weight_and_token(cut, decode, prefill):
    decoder, tensor = cut
    if not decode and not prefill:
        return
    gemm = attention = 0
    for layer in range(decoder.layers):
        for o in block(decoder, decode=decode, prefill=prefill, tensor=tensor, moe=decoder.is_moe(layer)):
            # The gate is computed on every rank.
            gemm += o.flops * (1 if o.name == "gate" else tensor) if o.kind == "gemm" else 0
            attention += tensor * o.flops if o.kind == "attention" else 0
    tokens = len(decode) + sum(prefill)
    weights = decoder.active_parameters() - decoder.embedding_parameters() - 2 * decoder.hidden * decoder.layers
    assert gemm == 2 * weights * tokens
    # Every new token meets itself and all before it, twice (scores and values), in every head.
    pairs = sum(decode) + sum(sum(range(1, prompt + 1)) for prompt in prefill)
    assert attention == 4 * pairs * decoder.heads * decoder.head_dim * decoder.layers


@settings(max_examples=100, deadline=None)
@given(decoders(), lengths, st.sampled_from([0.5, 1, 2, 4]))
def test_bytes_of_all_ranks_are_the_tensors_once(cut, decode, precision):
    decoder, tensor = cut
    decode = decode or [3]
    found = by_name(block(decoder, decode=decode, tensor=tensor, precision_bytes=precision))
    kv = sum(o.kv_bytes for o in found.values())
    assert tensor * kv == pytest.approx(sum(decode) * decoder.kv_bytes_per_token(precision) / decoder.layers, abs=8)
    weights = sum(o.weight_bytes for o in found.values())
    assert tensor * weights == pytest.approx(
        (decoder.attention_parameters() + decoder.ffn_parameters()) * precision, abs=4 * tensor
    )
    for o in found.values():
        assert o.bytes == o.weight_bytes + o.input_bytes + o.output_bytes + o.kv_bytes > 0
        if o.kind in {"gemm", "attention"}:
            assert o.flops == 2 * o.m * o.n * o.k * o.count
        if o.kind == "vector":
            assert o.flops == o.m * o.n * o.k * o.count


@settings(max_examples=60, deadline=None)
@given(decoders(), st.integers(1, 40))
def test_a_prompt_does_the_attention_of_its_tokens_one_by_one(cut, prompt):
    decoder, tensor = cut
    whole = by_name(block(decoder, prefill=[prompt], tensor=tensor))["attention_prefill"]
    steps = [by_name(block(decoder, decode=[seen], tensor=tensor)) for seen in range(1, prompt + 1)]
    assert whole.flops == sum(s["attention_score"].flops + s["attention_value"].flops for s in steps)
    assert whole.flops == 2 * whole.m * whole.n * whole.k * whole.count
    # Fused: queries in, results out, each key and value once.
    heads = decoder.q_width // tensor
    assert whole.input_bytes == whole.output_bytes == 2 * prompt * heads
    assert whole.kv_bytes == 4 * prompt * decoder.kv_width // tensor


def test_vector_operations_by_hand():
    found = by_name(block(model("llama3-8b"), decode=[10, 20], prefill=[5]))
    assert found["layernorm"].flops == 7 * 4096 * LAYERNORM_OPS
    assert found["softmax"].flops == 32 * 30 * SOFTMAX_OPS
    # SiLU and the product with the gate: two inputs, two operations.
    assert (found["activation"].flops, found["activation"].input_bytes) == (2 * 7 * 14336, 2 * 2 * 7 * 14336)
    assert "allreduce" not in found


def test_precisions_of_weights_keys_and_activations_are_apart():
    found = by_name(
        block(model("gpt3-7b"), decode=[100], precision_bytes=2, weight_precision_bytes=0.5, kv_precision_bytes=1)
    )
    assert found["qkv"].weight_bytes == 3 * 4096 * 4096 // 2
    assert found["qkv"].input_bytes == 2 * 4096
    assert found["attention_score"].kv_bytes == 100 * 4096
    with pytest.raises(InvalidInput, match=r"3 bytes an element; allowed: \[0.5, 1, 2, 4\]"):
        block(model("gpt3-7b"), decode=[100], precision_bytes=3)


def test_experts_with_equal_load_are_one_operator_and_idle_ones_none():
    decoder = model("mixtral-47b")
    given_tokens = [0, 3, 0, 3, 5, 1, 0, 0]
    found = [
        o for o in block(decoder, decode=np.full(6, 9), moe=True, expert_tokens=given_tokens) if "expert" in o.name
    ]
    assert [(o.name, o.m, o.count) for o in found] == [
        ("expert_up", 1, 1), ("expert_gate", 1, 1), ("expert_down", 1, 1),
        ("expert_up", 3, 2), ("expert_gate", 3, 2), ("expert_down", 3, 2),
        ("expert_up", 5, 1), ("expert_gate", 5, 1), ("expert_down", 5, 1),
    ]  # fmt: skip
    assert sum(o.flops for o in found) == 2 * 12 * decoder.ffn_parameters()
    assert sum(o.weight_bytes for o in found) == 2 * 4 * decoder.ffn_parameters()


def test_expert_parallel_ranks_hold_whole_experts_and_tensor_parallel_ones_slices():
    decoder, decode = model("mixtral-47b"), np.full(64, 100)
    load = random_tokens(decoder, 64, seed=3)
    sliced = block(decoder, decode=decode, tensor=4, moe=True, expert_tokens=load)
    whole = [
        block(decoder, decode=decode, tensor=4, expert=4, moe=True, expert_tokens=load[2 * rank : 2 * rank + 2])
        for rank in range(4)
    ]
    pairs = [
        block(decoder, decode=decode, tensor=4, expert=2, moe=True, expert_tokens=load[4 * half : 4 * half + 4])
        for half in range(2)
    ]

    def work(operators):
        return sum(o.flops for o in operators if o.name.startswith("expert"))

    assert 4 * work(sliced) == sum(work(rank) for rank in whole) == 2 * sum(work(half) for half in pairs)
    assert {o.n for o in whole[0] if o.name == "expert_up"} == {14336}
    assert {o.n for o in pairs[0] if o.name == "expert_up"} == {7168}
    assert {o.n for o in sliced if o.name == "expert_up"} == {3584}


def test_output_layer_by_hand():
    o = output_layer(model("llama3-8b"), 3, tensor=2)
    assert (o.m, o.n, o.k, o.flops, o.weight_bytes) == (3, 64128, 4096, 2 * 3 * 64128 * 4096, 2 * 64128 * 4096)
    with pytest.raises(InvalidInput, match="tokens 0"):
        output_layer(model("llama3-8b"), 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decode": [2049]}, r"gpt3-7b: decode length 2049 is not in its context; allowed: 1 to 2048"),
        ({"prefill": [7, 0]}, r"prefill length 0"),
        ({"decode": [-4]}, r"decode length -4"),
        ({"decode": [1.5]}, r"decode lengths are float64\[1\]; allowed: a list of whole numbers"),
        ({"decode": [[1]]}, r"decode lengths are int64\[1, 1\]"),
        ({}, r"a block of no requests"),
        ({"decode": [1], "tensor": 5}, r"tensor degree 5 does not divide"),
        ({"decode": [1], "moe": True}, r"gpt3-7b has no experts"),
    ],
)
def test_impossible_blocks_are_refused(arguments, message):
    with pytest.raises(InvalidInput, match=message):
        block(model("gpt3-7b"), **arguments)


@pytest.mark.parametrize("tokens", [[1, 2], [3, 3, 3, 3, 0, 0, 0, 0], [-1, 1, 0, 0, 0, 0, 0, 0]])
def test_impossible_expert_loads_are_refused(tokens):
    with pytest.raises(InvalidInput, match=r"allowed: 8 counts of 0 to 2, in all at most 4 \(2 tokens x top 2\)"):
        block(model("mixtral-47b"), decode=[9, 9], moe=True, expert_tokens=tokens)


def test_a_longer_context_is_allowed_where_the_model_says_so():
    longer = dataclasses.replace(model("glam-143b"), context=4096)
    assert check_lengths(longer, [4096]).tolist() == [4096]
    with pytest.raises(InvalidInput, match="allowed: 1 to 1024"):
        check_lengths(model("glam-143b"), [4096])


@pytest.mark.parametrize("name", MODELS)
def test_more_requests_never_lower_the_arithmetic_intensity_of_weights(name):
    seen = [by_name(block(model(name), decode=np.full(batch, 64)))["qkv"].op_per_byte for batch in (1, 4, 16, 64, 256)]
    assert seen == sorted(seen)
    assert seen[0] == pytest.approx(1, rel=0.01)
