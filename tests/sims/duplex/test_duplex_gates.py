from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archgym.sims.duplex.gates import expert_tokens, token_grid
from archgym.sims.llm.models import model
from archgym.sims.llm.routing import random_tokens

MIXTRAL = model("mixtral-47b")


@pytest.mark.parametrize("name", ["mixtral-47b", "glam-143b"])
def test_every_token_visits_two_different_experts_in_every_layer(name):
    decoder = model(name)
    counts = expert_tokens(decoder, (0, 1, 5, 300), 3)
    assert counts.shape == (4, decoder.moe_layers, decoder.experts)
    assert (counts.sum(axis=2) == np.array([[0], [2], [10], [600]])).all()
    assert (counts <= np.array([0, 1, 5, 300])[:, None, None]).all()
    assert counts.min() >= 0


@pytest.mark.parametrize("tokens", [16, 40])  # fewer and more than there are pairs
def test_pairs_have_the_distribution_of_single_draws(tokens):
    many = replace(MIXTRAL, layers=4000)
    counts = expert_tokens(many, (tokens,), 0)[0]
    plain = np.stack([random_tokens(MIXTRAL, tokens, seed) for seed in range(4000)])
    # Each token visits an expert with probability 1/4: a binomial number of them do.
    for found in (counts, plain):
        assert found.mean() == pytest.approx(tokens / 4)
        assert found.var(axis=0).mean() == pytest.approx(tokens * 3 / 16, rel=0.05)
    assert counts.max(axis=1).mean() == pytest.approx(plain.max(axis=1).mean(), rel=0.02)


def test_three_experts_a_token():
    counts = expert_tokens(replace(MIXTRAL, top_k=3), (4, 9), 0)
    assert (counts.sum(axis=2) == np.array([[12], [27]])).all()
    assert counts.max() <= 9


def test_draws_depend_on_seed_and_tokens_only():
    both = expert_tokens(MIXTRAL, (7, 64), 1)
    np.testing.assert_array_equal(both[1], expert_tokens(MIXTRAL, (64,), 1)[0])
    assert (both[1] != expert_tokens(MIXTRAL, (64,), 2)[0]).any()
    assert not both.flags.writeable


@pytest.mark.parametrize(("exact", "most"), [(1, 1), (1, 2), (32, 33), (32, 5000), (128, 70000)])
def test_grid_is_exact_up_to_the_batch_and_close_beyond(exact, most):
    grid = token_grid(exact, most)
    assert grid[: exact + 1].tolist() == list(range(exact + 1))
    assert grid[-1] >= most
    steps = grid[exact + 1 :] / grid[exact:-1]
    assert (steps > 1).all()
    assert (np.diff(grid)[exact:] <= np.maximum(1, 0.06 * grid[exact + 1 :])).all()
