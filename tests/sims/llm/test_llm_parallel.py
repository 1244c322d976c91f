from __future__ import annotations

import pytest

from archgym.errors import InvalidInput
from archgym.sims.llm.models import MODELS, Decoder, model
from archgym.sims.llm.parallel import (
    DoesNotFit,
    Parallel,
    check,
    check_memory,
    kv_capacity_tokens,
    kv_heads_per_rank,
    rank_kv_bytes_per_token,
    rank_weight_bytes,
)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("gpt3-7b", Parallel(4)), ("gpt3-13b", Parallel(4)), ("gpt3-30b", Parallel(4, 2)),
        ("gpt3-175b", Parallel(8, 4)),
        ("mixtral-47b", Parallel(4, 1, 4)), ("glam-143b", Parallel(8, 1, 8)), ("grok1-314b", Parallel(16, 1, 8)),
        ("opt-66b", Parallel(4)), ("llama3-70b", Parallel(4)),
    ],
)  # fmt: skip
def test_the_cuts_of_the_papers_are_allowed(name, cut):
    check(model(name), cut)


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [
        ("gpt3-7b", Parallel(3), r"tensor degree 3 does not divide its 32 heads; allowed: 1, 2, 4, 8, 16, 32"),
        ("gpt3-7b", Parallel(0), r"tensor degree 0 is not allowed"),
        ("gpt3-7b", Parallel(2.0), r"tensor degree 2\.0 is not allowed"),
        ("gpt3-7b", Parallel(1, -2), r"pipeline degree -2 is not allowed"),
        ("gpt3-7b", Parallel(1, 5), r"pipeline degree 5 does not divide its 32 layers"),
        ("gpt3-7b", Parallel(1, 1, 2), r"no experts: expert degree 2"),
        ("mixtral-47b", Parallel(4, 1, 3), r"expert degree 3 does not divide its 8 experts"),
        ("mixtral-47b", Parallel(2, 1, 4), r"expert degree 4 does not divide its 2 ranks of the tensor group"),
        ("grok1-314b", Parallel(3), r"tensor degree 3 does not fit 8 kv_heads"),
    ],
)
def test_cuts_that_leave_unequal_work_are_refused(name, cut, message):
    with pytest.raises(InvalidInput, match=message):
        check(model(name), cut)


def test_a_width_that_does_not_divide_is_refused():
    odd = Decoder("odd", 2, 8, 4, 4, 2, 6, 2)
    check(odd, Parallel(2))
    with pytest.raises(InvalidInput, match=r"tensor degree 4 does not divide its 6 ffn_hidden"):
        check(odd, Parallel(4))


def test_more_ranks_than_key_heads_hold_copies():
    assert [kv_heads_per_rank(model("grok1-314b"), tensor) for tensor in (1, 2, 4, 8, 16)] == [8, 4, 2, 1, 1]


@pytest.mark.parametrize("name", MODELS)
def test_ranks_together_hold_the_model_once(name):
    decoder = model(name)
    whole = rank_weight_bytes(decoder, Parallel())
    assert whole == decoder.weight_bytes()
    # Norms and gates are copied on every rank; everything else is shared.
    copied = 2 * (decoder.layers * 2 * decoder.hidden + decoder.moe_layers * decoder.experts * decoder.hidden)
    for tensor in (2, 4, 8):
        assert tensor * rank_weight_bytes(decoder, Parallel(tensor)) == pytest.approx(
            whole + (tensor - 1) * copied, abs=64
        )
        assert tensor * rank_kv_bytes_per_token(decoder, Parallel(tensor)) == decoder.kv_bytes_per_token()


def test_a_pipeline_shares_layers_and_keeps_both_tables():
    decoder = model("gpt3-175b")
    tables = 2 * decoder.embedding_parameters()
    assert rank_weight_bytes(decoder, Parallel(8, 4)) == pytest.approx(
        (rank_weight_bytes(decoder, Parallel(8)) - tables // 8) / 4 + tables // 8, abs=16
    )
    assert 4 * rank_kv_bytes_per_token(decoder, Parallel(8, 4)) == rank_kv_bytes_per_token(decoder, Parallel(8))


def test_capacity_by_hand_and_a_model_that_does_not_fit():
    # Llama3-8B in FP16 is 16,060,522,496 bytes; a token 2 x 32 x 1024 x 2 = 131,072.
    assert kv_capacity_tokens(model("llama3-8b"), Parallel(), 16_060_522_496 + 131_072 * 10 + 131_071) == 10
    assert kv_capacity_tokens(model("llama3-8b"), Parallel(), 16_060_522_496) == 0
    with pytest.raises(DoesNotFit, match=r"weights need 16060522496 bytes on each device, 16060522495 are available"):
        kv_capacity_tokens(model("llama3-8b"), Parallel(), 16_060_522_495)


def test_a_batch_that_does_not_fit_is_refused_with_bytes():
    check_memory(model("llama3-8b"), Parallel(), 10, 16_060_522_496 + 10 * 131_072)
    message = (
        r"weights \(16060522496 bytes\) and 10 tokens .* \(1310720 bytes\) need 16061833216 bytes .*, 16061833215 are"
    )
    with pytest.raises(DoesNotFit, match=message):
        check_memory(model("llama3-8b"), Parallel(), 10, 16_060_522_496 + 10 * 131_072 - 1)


def test_devices_of_a_replica():
    assert Parallel(8, 4, 2).devices == 32
