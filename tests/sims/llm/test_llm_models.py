from __future__ import annotations

import dataclasses

import pytest

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.llm.models import MODELS, Decoder, model

# Parameters in billions as published: GPT-3 table 2.1, OPT table 1 (30B, 66B), LLaMA table 2, GLaM table 4,
# Grok-1 release note, Mixtral paper ("47B parameters, 13B active").
PUBLISHED = {
    "gpt3-7b": 6.7, "gpt3-13b": 13.0, "gpt3-30b": 30, "gpt3-175b": 175, "opt-66b": 66, "llama-65b": 65.2,
    "llama3-8b": 8.03, "llama3-70b": 70.6, "mixtral-47b": 46.7, "glam-143b": 143, "grok1-314b": 314,
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_near_the_published(name):
    assert model(name).parameters() == pytest.approx(PUBLISHED[name] * 1e9, rel=0.015)
    assert model(name).source


# The number of elements in the released checkpoints.
@pytest.mark.parametrize(
    ("name", "elements"),
    [("llama3-8b", 8_030_261_248), ("llama3-70b", 70_553_706_496), ("mixtral-47b", 46_702_792_704)],
)
def test_parameters_of_released_checkpoints_are_exact(name, elements):
    assert model(name).parameters() == elements
    assert model(name).weight_bytes() == 2 * elements
    assert model(name).weight_bytes(0.5) == elements // 2


def test_dimensions_are_those_of_the_papers():
    seen = {
        d.name: (d.layers, d.hidden, d.heads, d.kv_heads, d.ffn_hidden, d.experts, d.top_k) for d in MODELS.values()
    }
    assert seen == {
        "gpt3-7b": (32, 4096, 32, 32, 16384, 0, 0),
        "gpt3-13b": (40, 5120, 40, 40, 20480, 0, 0),
        "gpt3-30b": (48, 7168, 56, 56, 28672, 0, 0),
        "gpt3-175b": (96, 12288, 96, 96, 49152, 0, 0),
        "opt-66b": (64, 9216, 72, 72, 36864, 0, 0),
        "llama-65b": (80, 8192, 64, 64, 22016, 0, 0),
        "llama3-8b": (32, 4096, 32, 8, 14336, 0, 0),
        "llama3-70b": (80, 8192, 64, 8, 28672, 0, 0),
        "mixtral-47b": (32, 4096, 32, 8, 14336, 8, 2),
        "glam-143b": (32, 4096, 32, 32, 16384, 64, 2),
        "grok1-314b": (64, 6144, 48, 8, 32768, 8, 2),
    }
    assert all(d.heads * d.head_dim == d.hidden for d in MODELS.values())


def test_parameters_by_hand():
    # 2 layers of width 8: attention 8x(4+2+2)+4x8... with 2 heads of 2 and 1 key head: q 8x4, k 8x2, v 8x2, o 4x8 = 96.
    # ffn 3 x 8 x 16 = 384; norms 2 x 8; embedding and output 10 x 8 each, last norm 8.
    dense = Decoder("tiny", 2, 8, 2, 1, 2, 16, 3, vocab=10)
    assert dense.parameters() == 2 * (96 + 384 + 16) + 2 * 80 + 8
    assert dense.active_parameters() == dense.parameters()
    # Keys and values: 2 x 2 layers x 2 elements x 2 bytes.
    assert dense.kv_bytes_per_token() == 16
    # Of 2 layers the second has 4 experts (384 each) and a gate of 8 x 4.
    sparse = dataclasses.replace(dense, experts=4, top_k=1, moe_every=2)
    assert sparse.parameters() == dense.parameters() + 3 * 384 + 32
    assert sparse.active_parameters() == sparse.parameters() - 3 * 384
    assert dataclasses.replace(dense, tied=True, positions=True, context=5).parameters() == dense.parameters() - 80 + 40


def test_which_layers_have_experts():
    assert [model("glam-143b").is_moe(layer) for layer in range(4)] == [False, True, False, True]
    assert all(model("mixtral-47b").is_moe(layer) for layer in range(32))
    assert not any(model("gpt3-7b").is_moe(layer) for layer in range(32))
    for decoder in MODELS.values():
        assert decoder.moe_layers == sum(decoder.is_moe(layer) for layer in range(decoder.layers))


def test_active_parameters_are_near_the_published():
    assert model("mixtral-47b").active_parameters() == pytest.approx(12.9e9, rel=0.01)
    assert model("glam-143b").active_parameters() == pytest.approx(9.8e9, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden": 0}, r"hidden 0 is not allowed"),
        ({"layers": -1}, r"layers -1 is not allowed"),
        ({"layers": 2.5}, r"layers 2\.5 is not allowed"),
        ({"layers": float("nan")}, r"layers nan is not allowed"),
        ({"heads": "8"}, r"heads 8 is not allowed"),
        ({"experts": 4, "top_k": 1.5}, r"top_k 1\.5 of 4 experts; allowed: whole numbers"),
        ({"kv_heads": 3}, r"32 heads cannot share 3 key heads"),
        ({"ffn_matrices": 4}, r"ffn_matrices 4 is not allowed; allowed: 2, 3"),
        ({"experts": 4, "top_k": 5}, r"top_k 5 of 4 experts"),
        ({"experts": 4}, r"top_k 0 of 4 experts"),
        ({"top_k": 1}, r"top_k 1 of 0 experts"),
        ({"experts": -1, "top_k": -1}, r"top_k -1 of -1 experts"),
    ],
)
def test_impossible_decoders_are_refused(changes, message):
    with pytest.raises(InvalidInput, match=message):
        dataclasses.replace(model("gpt3-7b"), **changes)


def test_names_are_found_in_any_case_and_the_nearest_is_offered():
    assert model("GPT3-7B") is MODELS["gpt3-7b"]
    with pytest.raises(UnknownName, match="did you mean 'mixtral-47b'"):
        model("mixtral-46b")
