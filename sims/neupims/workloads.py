"""Workloads by name: which model, cut over how many devices, serves which batches of requests.

    gpt3-7b-sharegpt-b256            a registered model, a data set and the batch
    llama3-8b-alpaca-b64             any other dense model of `archgym.sims.llm`
    e512-h4-sharegpt-b16             one block of a GPT of width 512 with 4 heads
    gpt3-7b:requests.csv             a batch from a file: columns seq_len and (optionally) ch_idx
    calibration                      the reduced block that the authors' program is compared on

A batch is seen at a random moment of serving (`archgym.sims.llm.requests.steady_state`); ten such moments are averaged,
as the paper does (NeuPIMs, ASPLOS 2024, evaluation).
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, TraceError, UnknownName
from archgym.sims.llm.lengths import LENGTHS
from archgym.sims.llm.models import MODELS, Decoder, model
from archgym.sims.llm.parallel import Parallel
from archgym.sims.llm.requests import steady_state

Ints = NDArray[np.int64]

SAMPLES = 10
"""Batches averaged per workload (NeuPIMs, ASPLOS 2024, evaluation)."""
MAX_BATCH = 4096
MAX_LENGTH = 1 << 20
BATCHES = (64, 128, 256, 384, 512)
SPLITS: Mapping[str, Parallel] = MappingProxyType(
    {  # casys-kaist/NeuPIMs f299af3, configs/model_configs
        "gpt3-7b": Parallel(4, 1),
        "gpt3-13b": Parallel(4, 1),
        "gpt3-30b": Parallel(4, 2),
        "gpt3-175b": Parallel(8, 4),
    }
)
CALIBRATION = (
    # Every 32nd row of request-traces/rr/share-gpt2-bs512-ms7B-tp4-rr-0.csv (casys-kaist/NeuPIMs f299af3).
    (2048, 553, 454, 393, 353, 302, 250, 235, 202, 159, 138, 754, 90, 58, 674, 35),
    (30, 0, 8, 10, 31, 13, 26, 19, 8, 14, 25, 0, 4, 7, 7, 10),
)
REGISTERED = (
    *(f"{name}-{dataset}-b{batch}" for name in SPLITS for dataset in ("alpaca", "sharegpt") for batch in BATCHES),
    "calibration",
)
_GENERATED = re.compile(r"(?P<model>.+)-(?P<dataset>[a-z0-9]+)-b(?P<batch>[0-9]{1,9})")
_BLOCK = re.compile(r"e(?P<hidden>[0-9]{1,6})-h(?P<heads>[0-9]{1,4})(-l(?P<layers>[0-9]{1,4}))?")


@dataclass(frozen=True)
class Workload:
    """A model with its published cut, and batches: context lengths int64[n], and channels where a file fixes them."""

    name: str
    decoder: Decoder
    parallel: Parallel
    batches: tuple[tuple[int, ...], ...]
    channels: tuple[int, ...] | None = None

    @property
    def batch(self) -> int:
        """Requests served at once."""
        return len(self.batches[0])


def workload(name: str) -> Workload:
    """Build a workload from its name (see the module).

    Raises:
        UnknownName, InvalidInput, TraceError: for a model, data set or size that does not exist, or an unreadable file.
    """
    of, colon, path = name.partition(":")
    return _from_file(name, of, *_stamp(path)) if colon else _by_name(name)


def _stamp(path: str) -> tuple[str, int, int]:
    """Identify what a path leads to now: its place, time of change (ns) and size (bytes)."""
    place = Path(path).absolute()
    try:
        status = place.stat()
    except (OSError, ValueError) as error:
        raise TraceError(f"{path}: cannot be read: {error}") from error
    return str(place), status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _from_file(name: str, of: str, place: str, *_stamped: int) -> Workload:
    decoder = decoder_named(of)
    lengths, channels = read_batch(place)
    return Workload(name, decoder, split_of(decoder), (_within(decoder, lengths),), channels)


@lru_cache(maxsize=256)
def _by_name(name: str) -> Workload:
    if name == "calibration":
        decoder = decoder_named("e512-h4")
        return Workload(name, decoder, Parallel(), (CALIBRATION[0],), CALIBRATION[1])
    found = _GENERATED.fullmatch(name)
    if not found:
        raise UnknownName("workload", name, REGISTERED)
    decoder = decoder_named(found["model"])
    if found["dataset"] not in LENGTHS:
        raise UnknownName("data set", found["dataset"], LENGTHS)
    batch = int(found["batch"])
    if not 1 <= batch <= MAX_BATCH:
        raise InvalidInput(f"a batch of {batch} requests is not allowed; allowed: 1 to {MAX_BATCH}")
    drawn = (steady_state(found["dataset"], batch, seed, min(2048, decoder.context)) for seed in range(SAMPLES))
    return Workload(name, decoder, split_of(decoder), tuple(tuple(int(s) for s in batch) for batch in drawn))


def decoder_named(name: str) -> Decoder:
    """A model of `archgym.sims.llm`, or a GPT block "e<width>-h<heads>".

    Raises:
        UnknownName: for a name that is neither.
        InvalidInput: for a mixture of experts, or a width that the heads do not divide.
    """
    block = _BLOCK.fullmatch(name)
    if block:
        hidden, heads, layers = int(block["hidden"]), int(block["heads"]), int(block["layers"] or 1)
        if not heads or not hidden or hidden % heads:
            raise InvalidInput(f"{name}: {heads} heads do not divide a width of {hidden}")
        return Decoder(name, layers, hidden, heads, heads, hidden // heads, 4 * hidden, 2, context=32768)
    if name.lower() not in MODELS:
        raise UnknownName("model", name, MODELS)
    decoder = model(name)
    if decoder.experts:
        raise InvalidInput(f"{name} is a mixture of experts; NeuPIMs is modelled for dense decoders")
    return decoder


def split_of(decoder: Decoder) -> Parallel:
    """The published cut of a model, or the fewest devices of 32 GB that its weights fill no more than half."""
    if decoder.name in SPLITS:
        return SPLITS[decoder.name]
    for tensor in (1, 2, 4, 8):
        if decoder.heads % tensor == 0 and decoder.weight_bytes() <= tensor * (16 << 30):
            return Parallel(tensor)
    return Parallel(8 if decoder.heads % 8 == 0 else 1)


def read_batch(path: str | os.PathLike[str]) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """Context lengths, and channels if the file has them, of a CSV as the authors ship them (seq_len, ch_idx).

    Raises:
        TraceError: naming the file and the line, for what cannot be read.
    """
    name = os.fspath(path)
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"{name}: cannot be read: {error}") from error
    if not rows or "seq_len" not in rows[0]:
        raise TraceError(f"{name}: expected a header with seq_len (and ch_idx) and at least one request")
    if len(rows) > MAX_BATCH:
        raise TraceError(f"{name}: {len(rows)} requests; allowed: up to {MAX_BATCH}")
    lengths = tuple(_number(name, place, row.get("seq_len"), 1) for place, row in enumerate(rows))
    if "ch_idx" not in rows[0]:
        return lengths, None
    return lengths, tuple(_number(name, place, row.get("ch_idx"), 0) for place, row in enumerate(rows))


def fingerprint(name: str) -> str:
    """Identify the requests of a workload by content."""
    found = workload(name)
    text = repr((found.decoder, found.parallel, found.batches, found.channels))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _number(name: str, place: int, text: str | None, least: int) -> int:
    found = (text or "").strip()
    # int() knows other scripts' digits and refuses superscripts, which isdigit takes; 20 digits are beyond any limit
    if not (found.isascii() and found.isdigit() and len(found) < 20 and least <= int(found) < MAX_LENGTH):
        raise TraceError(f"{name}:{place + 2}: {text!r}; expected a whole number from {least} to {MAX_LENGTH - 1}")
    return int(found)


def _within(decoder: Decoder, lengths: tuple[int, ...]) -> tuple[int, ...]:
    if max(lengths) > decoder.context:
        raise InvalidInput(f"{decoder.name}: a request of {max(lengths)} tokens; the context is {decoder.context}")
    return lengths
