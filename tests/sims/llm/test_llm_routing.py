from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from archgym.errors import InvalidInput
from archgym.sims.llm.models import model
from archgym.sims.llm.routing import even_tokens, random_tokens

NAMES = ("mixtral-47b", "glam-143b", "grok1-314b")


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(NAMES), st.integers(1, 500), st.integers(0, 99))
def test_tokens_are_conserved(name, tokens, seed):
    decoder = model(name)
    for load in (even_tokens(decoder, tokens), random_tokens(decoder, tokens, seed)):
        assert load.shape == (decoder.experts,)
        assert load.sum() == tokens * decoder.top_k
        assert 0 <= load.min() <= load.max() <= tokens  # a token visits an expert at most once
    assert np.ptp(even_tokens(decoder, tokens)) <= 1


def test_random_routing_is_seeded_and_fair():
    decoder = model("mixtral-47b")
    assert (random_tokens(decoder, 100, 7) == random_tokens(decoder, 100, 7)).all()
    loads = np.array([random_tokens(decoder, 64, seed) for seed in range(2000)])
    # An expert is visited with probability 2/8: mean 16, variance 64 x 1/4 x 3/4 = 12. Standard error of a mean 0.077.
    assert np.abs(loads.mean(axis=0) - 16).max() < 0.4
    assert np.abs(loads.var(axis=0) - 12).max() < 2


@pytest.mark.parametrize(("name", "tokens", "message"), [("gpt3-7b", 4, "no experts"), ("mixtral-47b", 0, "tokens 0")])
def test_impossible_routing_is_refused(name, tokens, message):
    for route in (even_tokens, lambda decoder, n: random_tokens(decoder, n, 0)):
        with pytest.raises(InvalidInput, match=message):
            route(model(name), tokens)
