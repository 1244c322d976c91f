"""How many tokens each expert gets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.llm.models import Decoder

__all__ = ["even_tokens", "random_tokens"]


def even_tokens(decoder: Decoder, tokens: int) -> NDArray[np.int64]:
    """Tokens x top_k dealt out as evenly as whole numbers allow, int64[experts]; the first experts get the remainder.

    Raises:
        InvalidInput: for a model without experts or fewer than 1 token.
    """
    total = _check(decoder, tokens) * decoder.top_k
    found = np.full(decoder.experts, total // decoder.experts, dtype=np.int64)
    found[: total % decoder.experts] += 1
    return found


def random_tokens(decoder: Decoder, tokens: int, seed: int) -> NDArray[np.int64]:
    """Each token visits `top_k` different experts, each set equally likely: int64[experts], sums to tokens x top_k.

    The gates of real models are not even; this is the routing of Duplex (MICRO'24), seeded.

    Raises:
        InvalidInput: for a model without experts or fewer than 1 token.
    """
    tokens = _check(decoder, tokens)
    # The top_k smallest of one random number an expert are a uniformly random set.
    draws = np.random.default_rng(seed).random((tokens, decoder.experts), dtype=np.float32)
    chosen = np.argpartition(draws, decoder.top_k - 1, axis=1)[:, : decoder.top_k]
    return np.bincount(chosen.ravel(), minlength=decoder.experts).astype(np.int64)


def _check(decoder: Decoder, tokens: int) -> int:
    if not decoder.experts:
        raise InvalidInput(f"{decoder.name} has no experts to route {tokens} tokens to")
    if tokens < 1:
        raise InvalidInput(f"tokens {tokens} is not allowed; allowed: 1 and more")
    return int(tokens)
