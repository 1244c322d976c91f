"""Which experts the tokens of a stage visit: seeded samples of the gates of all layers, by number of tokens."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym.sims.llm.models import Decoder
from archgym.sims.llm.routing import random_tokens

__all__ = ["expert_tokens", "token_grid"]

Tokens = NDArray[np.int64]

# Above the batch sizes, where prompts are read, stage times are close to linear in the tokens: 5 % apart is enough.
_STEP = 1.05


def token_grid(exact: int, most: int) -> Tokens:
    """Numbers of tokens to tabulate, ascending int64[m]: 0 to `exact` one by one, then 5 % apart up to `most`."""
    first = list(range(exact + 1))
    count = math.ceil(math.log(max(most, exact + 1) / max(1, exact)) / math.log(_STEP))
    later = [round(max(1, exact) * _STEP**i) for i in range(1, count)]
    return np.unique(np.array([*first, *later, max(most, exact)], dtype=np.int64))


@lru_cache(maxsize=16)
def expert_tokens(decoder: Decoder, grid: tuple[int, ...], seed: int) -> Tokens:
    """Tokens of each expert, int64[m, layers with experts, experts], for each number of tokens of `grid`.

    Every layer's gate is drawn on its own, every set of `top_k` experts equally likely (Duplex, MICRO 2024, section
    VI). One draw serves all stages with as many tokens: a stage already averages over its layers.
    """
    found = np.stack([_counts(decoder, tokens, seed) for tokens in grid])
    found.setflags(write=False)
    return found


@lru_cache(maxsize=4096)
def _counts(decoder: Decoder, tokens: int, seed: int) -> Tokens:
    layers, experts = decoder.moe_layers, decoder.experts
    if not tokens:
        return np.zeros((layers, experts), dtype=np.int64)
    generator = np.random.default_rng((seed, tokens))
    if decoder.top_k != 2:
        seeds = generator.integers(1 << 32, size=layers)
        return np.stack([random_tokens(decoder, tokens, int(one)) for one in seeds])
    # Two of E at random is one of E(E-1)/2 pairs: few tokens draw one each, many are one multinomial draw.
    first, second = np.triu_indices(experts, 1)
    if tokens < len(first):
        drawn = generator.integers(len(first), size=(layers, tokens))
        visited = np.concatenate((first[drawn], second[drawn]), axis=1) + experts * np.arange(layers)[:, None]
        return np.bincount(visited.ravel(), minlength=layers * experts).reshape(layers, experts)
    pairs = generator.multinomial(tokens, np.full(len(first), 1 / len(first)), size=layers)
    visits = np.zeros((len(first), experts), dtype=np.int64)
    visits[np.arange(len(first)), first] = visits[np.arange(len(first)), second] = 1
    return np.asarray(pairs @ visits)
