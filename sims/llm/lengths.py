"""Prompt and output lengths of public request sets, as quantile tables.

The quantiles were taken from the token counts that NeuPIMs ships (casys-kaist/NeuPIMs f299af3,
trace-generator/{alpaca,share-gpt2}/stats.tsv; rows without output dropped, empty prompts counted as 1 token). Between
them the logarithm of the length is interpolated. Prompt and output are drawn independently: their rank correlation in
the files is -0.06 (Alpaca) and +0.09 (ShareGPT).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName

__all__ = ["LENGTHS", "LEVELS", "LengthDistribution", "Statistics", "lengths"]

Tokens = NDArray[np.int64]

LEVELS = (
    0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
    0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999, 0.99995, 0.99999, 1.0,
)  # fmt: skip
"""Probabilities of the quantiles below."""


@dataclass(frozen=True)
class Statistics:
    """Of one column of the data itself, in tokens (not of what is drawn from the table)."""

    mean: float
    deviation: float
    p50: int
    p90: int
    p99: int
    largest: int


@dataclass(frozen=True)
class LengthDistribution:
    """Lengths of prompts and outputs in tokens; the tables hold the quantiles at `LEVELS`."""

    name: str
    prompt: tuple[int, ...]
    output: tuple[int, ...]
    statistics: dict[str, Statistics] = field(hash=False)
    source: str

    def sample(self, n: int, seed: int) -> tuple[Tokens, Tokens]:
        """Prompt and output lengths of n requests, int64[n] each.

        Raises:
            InvalidInput: for n below 1.
        """
        random = _generator(n, seed)
        return inverse(self.prompt, random.random(n)), inverse(self.output, random.random(n))

    def sample_running(self, n: int, seed: int) -> tuple[Tokens, Tokens, Tokens]:
        """Prompt, output and tokens generated so far of n requests met while they run, int64[n] each.

        A request of twice the output runs twice as long and is met twice as often (length-biased sampling); it is met
        at any of its steps, so 0 to output - 1 tokens were generated.

        Raises:
            InvalidInput: for n below 1.
        """
        random = _generator(n, seed)
        prompt = inverse(self.prompt, random.random(n))
        outputs, shares = _by_length(self.output)
        output = outputs[np.searchsorted(shares, random.random(n), side="right")]
        return prompt, output, (random.random(n) * output).astype(np.int64)


def inverse(quantiles: tuple[int, ...], probability: NDArray[np.float64]) -> Tokens:
    """The lengths at the given probabilities: linear in the logarithm between the quantiles, then rounded."""
    return np.rint(np.exp(np.interp(probability, LEVELS, np.log(quantiles)))).astype(np.int64)


def lengths(name: str) -> LengthDistribution:
    """One of `LENGTHS`, in any case of letters.

    Raises:
        UnknownName: for a name that is not there.
    """
    try:
        return LENGTHS[name.lower()]
    except KeyError:
        raise UnknownName("length distribution", name, LENGTHS) from None


@lru_cache(maxsize=8)
def _by_length(quantiles: tuple[int, ...]) -> tuple[Tokens, NDArray[np.float64]]:
    """Ascending lengths on a fine grid of probabilities, and the share of all tokens up to each."""
    values = inverse(quantiles, (np.arange(1 << 18) + 0.5) / (1 << 18))
    shares = np.cumsum(values, dtype=np.float64)
    return values, shares / shares[-1]


def _generator(n: int, seed: int) -> np.random.Generator:
    if n < 1:
        raise InvalidInput(f"{n} requests are not allowed; allowed: 1 and more")
    return np.random.default_rng(seed)


_SOURCE = "casys-kaist/NeuPIMs f299af3, trace-generator"

_ALPACA = LengthDistribution(
    "alpaca",
    (
        4, 5, 6, 7, 8, 8, 9, 9, 10, 10, 10, 11, 11, 12, 12, 13, 13, 14, 15, 16, 17, 19, 20, 22, 24, 27, 30, 37, 41, 50,
        84, 92, 99, 99,
    ),
    (
        1, 1, 1, 3, 6, 8, 10, 13, 16, 19, 25, 32, 41, 50, 59, 67, 76, 85, 94, 106, 122, 133, 151, 179, 206, 249, 294,
        369, 417, 503, 627, 774, 1005, 1005,
    ),
    {"prompt": Statistics(12.13, 4.55, 11, 17, 27, 99), "output": Statistics(55.79, 55.24, 41, 122, 249, 1005)},
    f"{_SOURCE}/alpaca/stats.tsv: 51,974 requests (Taori et al., Stanford Alpaca, 2023)",
)  # fmt: skip

_SHAREGPT = LengthDistribution(
    "sharegpt",
    (
        1, 1, 1, 3, 5, 7, 8, 9, 11, 12, 14, 15, 17, 20, 23, 26, 32, 39, 51, 71, 118, 174, 302, 518, 777, 1262, 1992,
        2879, 3536, 4536, 9744, 17256, 76617, 196710,
    ),
    (
        1, 9, 15, 30, 58, 87, 113, 139, 166, 192, 216, 239, 261, 283, 306, 331, 358, 390, 430, 487, 576, 643, 727, 793,
        852, 961, 1041, 1166, 1485, 2178, 4288, 5236, 13116, 63144,
    ),
    {
        "prompt": Statistics(80.04, 567.73, 17, 118, 1262, 196710),
        "output": Statistics(295.67, 261.58, 261, 576, 961, 63144),
    },
    f"{_SOURCE}/share-gpt2/stats.tsv: 390,819 requests (conversations shared by users of ChatGPT)",
)  # fmt: skip

LENGTHS: dict[str, LengthDistribution] = {"alpaca": _ALPACA, "sharegpt": _SHAREGPT}
