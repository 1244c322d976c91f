"""Requests: when they arrive and how many tokens they read and write; drawn, fixed, or read from a file."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, TraceError
from archgym.sims.llm.lengths import LengthDistribution, lengths

__all__ = ["COLUMNS", "Requests", "fixed", "poisson", "read_csv", "steady_state"]

Tokens = NDArray[np.int64]

COLUMNS = {
    "arrival": ("arrival", "arrival_s", "arrival_timestamp"),
    "prompt": ("prompt", "prompt_size"),
    "output": ("output", "token_size"),
}
"""Header names a CSV file may use: seconds, tokens, tokens; the last of each is Splitwise's (ISCA 2024)."""


@dataclass(frozen=True)
class Requests:
    """n requests in order of arrival; every array is copied and read-only.

    Raises:
        InvalidInput: for arrays of different lengths, times that are negative or go back, or fewer than 1 token.
    """

    arrival_s: NDArray[np.float64]
    prompt: Tokens
    output: Tokens

    def __post_init__(self) -> None:
        for name, kind in (("arrival_s", np.float64), ("prompt", np.int64), ("output", np.int64)):
            column = np.array(getattr(self, name), dtype=kind, ndmin=1)
            column.setflags(write=False)
            object.__setattr__(self, name, column)
        n = len(self.arrival_s)
        if not n or self.prompt.shape != (n,) or self.output.shape != (n,):
            raise InvalidInput(
                f"requests with {n} arrivals, {len(self.prompt)} prompts and {len(self.output)} outputs; "
                "allowed: as many of each, 1 and more"
            )
        if not np.isfinite(self.arrival_s).all() or self.arrival_s[0] < 0 or (np.diff(self.arrival_s) < 0).any():
            raise InvalidInput("arrival times are negative, infinite or go back; allowed: ascending seconds from 0")
        if self.prompt.min() < 1 or self.output.min() < 1:
            raise InvalidInput(
                f"shortest prompt {self.prompt.min()}, shortest output {self.output.min()}; allowed: 1 token and more"
            )

    def __len__(self) -> int:
        """How many."""
        return len(self.arrival_s)


def poisson(
    dataset: str | LengthDistribution, rate_per_s: float, n: int, seed: int, *, max_length: int | None = None
) -> Requests:
    """n requests with lengths of a data set that arrive independently of each other (exponential gaps).

    Args:
        dataset: a name of `lengths.LENGTHS`, or a distribution.
        rate_per_s: mean arrivals a second.
        n: how many.
        seed: of lengths and gaps.
        max_length: the model's context: longer prompts are cut to leave one token, longer outputs to fit.

    Raises:
        InvalidInput, UnknownName: for a rate not above 0, n below 1, max_length below 2, or an unknown data set.
    """
    known = lengths(dataset) if isinstance(dataset, str) else dataset
    prompt, output = known.sample(n, seed)
    if max_length is not None:
        if max_length < 2:
            raise InvalidInput(f"max_length {max_length} is not allowed; allowed: 2 and more")
        prompt = np.minimum(prompt, max_length - 1)
        output = np.minimum(output, max_length - prompt)
    return Requests(_arrivals(rate_per_s, n, seed), prompt, output)


def fixed(prompt: int, output: int, n: int, *, rate_per_s: float | None = None, seed: int = 0) -> Requests:
    """n equal requests, all at time 0, or with Poisson arrivals when a rate is given.

    Raises:
        InvalidInput: for fewer than 1 request or token, or a rate not above 0.
    """
    if n < 1:
        raise InvalidInput(f"{n} requests are not allowed; allowed: 1 and more")
    times = np.zeros(n) if rate_per_s is None else _arrivals(rate_per_s, n, seed)
    return Requests(times, np.full(n, prompt), np.full(n, output))


def steady_state(dataset: str | LengthDistribution, batch: int, seed: int, max_length: int = 2048) -> Tokens:
    """Context lengths of a batch that has been served for a long time and is always full, int64[batch].

    Every slot holds a request seen at a uniformly random step of its generation; long generations hold their slot
    longer and are seen more often. Prompt and tokens so far, cut at `max_length` as the traces of NeuPIMs are.

    Raises:
        InvalidInput, UnknownName: for a batch or max_length below 1, or an unknown data set.
    """
    if max_length < 1:
        raise InvalidInput(f"max_length {max_length} is not allowed; allowed: 1 and more")
    known = lengths(dataset) if isinstance(dataset, str) else dataset
    prompt, _, generated = known.sample_running(batch, seed)
    return np.asarray(np.minimum(prompt + generated, max_length), dtype=np.int64)


def read_csv(path: str | os.PathLike[str]) -> Requests:
    """Read requests from a file with a header line and one request a line, in any order of arrival.

    Columns (`COLUMNS`): `arrival` in seconds, `prompt` and `output` in tokens; others are ignored. Splitwise's
    `arrival_timestamp`, `prompt_size` and `token_size` are understood too.

    Raises:
        TraceError: naming the file and the line, for what cannot be read.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(_rows(name, file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"{name}: cannot be read: {error}") from error
    if not rows:
        raise TraceError(f"{name}: holds no request; expected at least one line after the header")
    rows.sort(key=lambda row: row[0])
    arrival, prompt, output = zip(*rows, strict=True)
    return Requests(np.array(arrival), np.array(prompt), np.array(output))


def _rows(name: str, file: Iterable[str]) -> Iterator[tuple[float, int, int]]:
    reader = csv.reader(file)
    header = [title.strip().lower() for title in next(reader, [])]
    places = []
    for column, names in COLUMNS.items():
        found = [header.index(title) for title in names if title in header]
        if len(found) != 1:
            raise TraceError(
                f"{name}:1: {len(found)} columns for {column} in {', '.join(header) or 'an empty line'}; "
                f"expected one of: {', '.join(names)}"
            )
        places.append(found[0])
    for cells in reader:
        if any(cell.strip() for cell in cells):
            where = f"{name}:{reader.line_num}"
            if len(cells) <= max(places):
                raise TraceError(f"{where}: {len(cells)} columns, the header has {len(header)}")
            at, prompt, output = (cells[place].strip() for place in places)
            yield _seconds(where, at), _tokens(where, "prompt", prompt), _tokens(where, "output", output)


def _seconds(where: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise TraceError(f"{where}: arrival {text!r}; expected seconds from 0")
    return value


def _tokens(where: str, what: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 31):
        raise TraceError(f"{where}: {what} {text!r}; expected a whole number of tokens, 1 and more")
    return int(text)


def _arrivals(rate_per_s: float, n: int, seed: int) -> NDArray[np.float64]:
    if not (math.isfinite(rate_per_s) and rate_per_s > 0):
        raise InvalidInput(f"rate {rate_per_s} requests/s is not allowed; allowed: above 0")
    # A stream of its own, so that lengths do not change with the rate nor arrivals with the data set.
    return np.cumsum(np.random.default_rng((seed, 1)).exponential(1 / rate_per_s, n))
