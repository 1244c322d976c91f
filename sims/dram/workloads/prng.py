"""The Mersenne Twister of Python's `random`, by the array: seeded the same, it gives the same numbers.

NumPy's own distributions may change between releases (NEP 19), which would change workloads under stored results.
The generator's raw words cannot, and Python documents how it makes floats from them.
"""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray


def raw_words(seed: int, n: int) -> NDArray[np.uint64]:
    """Return the first n 32-bit outputs of `random.Random(seed)`, uint64[n]."""
    *key, position = random.Random(seed).getstate()[1]
    twister = np.random.MT19937()
    twister.state = {
        "bit_generator": "MT19937",
        "state": {"key": np.array(key, dtype=np.uint32), "pos": position},
    }
    return np.asarray(twister.random_raw(n), dtype=np.uint64)


def uniforms(seed: int, n: int) -> NDArray[np.float64]:
    """Return the first n results of `random.Random(seed).random()`: 53 random bits each, in [0, 1)."""
    pairs = raw_words(seed, 2 * n).reshape(n, 2)
    high, low = pairs[:, 0] >> np.uint64(5), pairs[:, 1] >> np.uint64(6)
    return np.asarray((high * np.uint64(1 << 26) + low) / float(1 << 53), dtype=np.float64)


def permutation(draws: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the order that sorts `draws`: a uniformly random permutation, intp[n]."""
    return np.argsort(draws, kind="stable")
