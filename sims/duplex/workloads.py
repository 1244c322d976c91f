"""Workloads by name: a model, mean prompt and output lengths, and how requests come.

    mixtral-in256-out1024-batch32     32 requests are always in the system: each is followed by the next
    mixtral-in4096-out512-qps8        requests come at random, 8 a second on average (Poisson)

Any name of this form is a workload; `WORKLOADS` are those of the paper's figures 11 to 15.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.llm.models import MODELS, Decoder, model
from archgym.sims.llm.requests import fixed

__all__ = ["WORKLOADS", "Load", "Workload", "workload"]

SHORT = {
    "mixtral": "mixtral-47b", "glam": "glam-143b", "grok1": "grok1-314b", "opt": "opt-66b", "llama3": "llama3-70b"
}  # fmt: skip
# Figures 11 and 12 run GLaM up to 4096 tokens, four times the sequences it was trained on.
_CONTEXT = {"glam-143b": 4096}
_NAME = re.compile(
    r"(?P<model>.+)-in(?P<prompt>[0-9]+)-out(?P<output>[0-9]+)-(?P<kind>batch|qps)(?P<rate>[0-9]+(\.[0-9]+)?)"
)
_FORM = "<model>-in<tokens>-out<tokens>-batch<requests> or ...-qps<requests per second>"

# A closed loop is followed until each place of the batch was left three times on average; an open one serves so many.
_ROUNDS, _OPEN_REQUESTS = 3, 512
_MAX_CLIENTS = 4096


@dataclass(frozen=True, eq=False)
class Load:
    """Requests as `kernel_serve.serve` takes them."""

    arrival_s: NDArray[np.float64]
    prompt: NDArray[np.int64]
    output: NDArray[np.int64]
    produced: NDArray[np.int64]
    """Tokens that a request met at time 0 in the middle of its generation has already; 0: it has not begun."""
    clients: int
    stop: int


@dataclass(frozen=True)
class Workload:
    """A model and a load: `clients` requests always in the system, or `qps` arriving a second."""

    name: str
    decoder: Decoder
    prompt: int
    output: int
    clients: int = 0
    qps: float = 0.0

    def load(self, seed: int) -> Load:
        """The requests; the same seed gives the same lengths whatever the rate."""
        return _load(self, seed)


def workload(name: str) -> Workload:
    """Parse a name.

    Raises:
        UnknownName: for a name that is not of the form, or an unknown model.
        InvalidInput: for lengths that do not fit the model's context, or numbers out of range.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise UnknownName(f"workload (form {_FORM})", name, WORKLOADS)
    known = match["model"].lower()
    if known not in SHORT and known not in MODELS:
        raise UnknownName(f"model in workload {name!r}", match["model"], [*SHORT, *MODELS])
    decoder = model(SHORT.get(known, known))
    decoder = replace(decoder, context=max(decoder.context, _CONTEXT.get(decoder.name, 0)))
    prompt, output, rate = int(match["prompt"]), int(match["output"]), float(match["rate"])
    if prompt < 1 or output < 2:
        raise InvalidInput(f"{name}: prompts of {prompt} and outputs of {output} tokens; allowed: from 1 and from 2")
    if prompt + output > decoder.context:
        raise InvalidInput(
            f"{name}: {prompt} + {output} tokens do not fit the context of {decoder.name}; allowed: {decoder.context}"
        )
    if match["kind"] == "qps":
        if not rate > 0:
            raise InvalidInput(f"{name}: {rate} requests per second; allowed: above 0")
        return Workload(name, decoder, prompt, output, qps=rate)
    if rate != int(rate) or not 1 <= rate <= _MAX_CLIENTS:
        raise InvalidInput(f"{name}: batch {match['rate']}; allowed: whole numbers 1 to {_MAX_CLIENTS}")
    return Workload(name, decoder, prompt, output, clients=int(rate))


@lru_cache(maxsize=64)
def _load(found: Workload, seed: int) -> Load:
    n = (1 + _ROUNDS) * found.clients if found.clients else _OPEN_REQUESTS
    random = np.random.default_rng(seed)
    shift = _shifts(random, n, found.prompt, found.output)
    prompt, output = found.prompt - shift, found.output + shift
    produced = np.zeros(n, dtype=np.int64)
    if found.clients:
        # Long outputs are met running more often, but lengths vary too little for that to be seen.
        running = slice(0, found.clients)
        produced[running] = 1 + (random.random(found.clients) * (output[running] - 1)).astype(np.int64)
        arrival = np.zeros(n)
    else:
        arrival = fixed(found.prompt, found.output, n, rate_per_s=found.qps, seed=seed).arrival_s.copy()
    load = Load(arrival, prompt, output, produced, found.clients, _ROUNDS * found.clients or n)
    for array in (load.arrival_s, load.prompt, load.output, load.produced):
        array.setflags(write=False)
    return load


def _shifts(random: np.random.Generator, n: int, prompt: int, output: int) -> NDArray[np.int64]:
    """Tokens taken from each prompt and added to its output.

    The paper says Gaussian; its simulator shifts by a normal deviate of 0.4, cut at 0.95, times the shortest of prompt,
    output and 256 tokens, less one (scale-snu/LLMSimulator, src/scheduler/scheduler.cpp).
    """
    deviate = random.normal(0.0, 0.4, n)
    outside = np.abs(deviate) >= 0.95
    while outside.any():
        deviate[outside] = random.normal(0.0, 0.4, int(outside.sum()))
        outside = np.abs(deviate) >= 0.95
    return np.asarray((deviate * (min(256, prompt, output) - 1)).astype(np.int64))


def _names() -> tuple[str, ...]:
    figures = (  # model, lengths, batches: figures 11 and 14
        ("mixtral", (256, 1024, 4096), (32, 64, 128)),
        ("glam", (512, 1024, 2048), (32, 64, 128)),
        ("grok1", (256, 1024, 4096), (32, 64, 128)),
        ("llama3", (256, 1024, 4096), (32, 64)),
        ("opt", (256, 512, 1024), (32, 64)),
    )
    closed = [f"{m}-in{n}-out{n}-batch{b}" for m, lengths, batches in figures for n in lengths for b in batches]
    return (*closed, *(f"mixtral-in4096-out512-qps{rate}" for rate in (4, 6, 8, 10, 12, 14, 16)))  # figure 13


WORKLOADS = _names()
