"""What every simulator must do, as checks that run against any of them (`archgym.testing.check_simulator`)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from archgym.core import STATUSES, Designs, Evaluations, Simulator
from archgym.errors import InvalidInput, UnknownName

__all__ = ["check_simulator"]

_UNIT_SUFFIXES = {
    "ns": "ns", "us": "us", "µs": "us", "ms": "ms", "s": "s", "pJ": "pj", "nJ": "nj", "mJ": "mj", "J": "j", "mW": "mw",
    "W": "w", "um2": "um2", "µm²": "um2", "mm2": "mm2", "mm²": "mm2", "GB/s": "gbps", "MHz": "mhz", "GHz": "ghz",
    "B": "bytes", "KiB": "kib", "MiB": "mib", "%": "percent",
}  # fmt: skip
_BOGUS_WORKLOAD = "no such workload, and no such file"
_LOOKS, _LOOKED_AT = 8, 32  # where none of the designs asked for can be scored, so many more are tried for one that can


def check_simulator(simulator: Simulator, workload: str | None = None, *, designs: int = 24, seed: int = 0) -> None:
    """Check that a simulator keeps its contract; returns None when it does.

    Args:
        simulator: what to check.
        workload: one of its workloads; its first by default.
        designs: how many random designs are looked at; each is simulated nine times.
        seed: which they are.

    Raises:
        AssertionError: for the first rule it breaks, in a sentence.
    """
    _declarations(simulator)
    chosen = simulator.workloads[0] if workload is None else workload
    rng = np.random.default_rng(seed)
    rows = simulator.space.sample(designs, rng)
    untouched = rows.copy()
    found = simulator.simulate(rows, chosen)
    _require(np.array_equal(rows, untouched), "simulate changed the designs it was given; work on a copy")
    _shape(simulator, found, len(rows))
    _rows(found)
    if not found.ok.any():
        rows[-1] = _usable(simulator, chosen, rng)
        found = simulator.simulate(rows, chosen)
    again = simulator.simulate(rows, chosen)
    _require(_same(found, again), "the same designs gave other numbers the second time; simulate must be deterministic")
    _batches(simulator, chosen, rows, found, rng)
    _threads(simulator, chosen, rows, found)
    _canonical(simulator, chosen, rows, found)
    _refusals(simulator, chosen, rows)
    _fingerprint(simulator, chosen)


def _require(kept: bool, sentence: str) -> None:
    if not kept:
        raise AssertionError(sentence)


def _declarations(simulator: Simulator) -> None:
    for attribute in ("name", "version", "space", "metrics", "workloads"):
        _require(
            bool(getattr(simulator, attribute, None)), f"{type(simulator).__name__}.{attribute} is missing or empty"
        )
    names = [metric.name for metric in simulator.metrics]
    _require(len(set(names)) == len(names), f"a metric is declared twice: {', '.join(names)}")
    for metric in simulator.metrics:
        snake = re.fullmatch(r"[a-z][a-z0-9_]*", metric.name) is not None
        _require(snake, f"metric name {metric.name!r} must be lower case with underscores")
        if metric.unit in _UNIT_SUFFIXES:
            words = metric.name.split("_")
            suffix = _UNIT_SUFFIXES[metric.unit]
            said = suffix in words
            _require(
                said, f"metric {metric.name!r} is in {metric.unit}: its name must say so, e.g. '{metric.name}_{suffix}'"
            )


def _shape(simulator: Simulator, found: Evaluations, n: int) -> None:
    _require(isinstance(found, Evaluations), f"simulate must return Evaluations, got {type(found).__name__}")
    _require(found.metrics == tuple(simulator.metrics), "simulate returned other metrics than the simulator declares")
    shape, expected = found.values.shape, (n, len(simulator.metrics))
    _require(shape == expected, f"simulate returned values of shape {shape} for {n} designs; expected {expected}")
    _require(
        len(found.status) == n and len(found.reasons) == n, "simulate must give one status and one reason a design"
    )


def _rows(found: Evaluations) -> None:
    for row, status in enumerate(found.status):
        _require(str(status) in STATUSES, f"status {str(status)!r} of design {row} is not one of {', '.join(STATUSES)}")
    for row in np.flatnonzero(found.ok).tolist():
        for metric, value in zip(found.metrics, found.values[row], strict=True):
            _require(bool(np.isfinite(value)), f"design {row} is 'ok' but its {metric.name} is {value}")
    for row in np.flatnonzero(~found.ok).tolist():
        status = found.status[row]
        _require(bool(found.reasons[row]), f"design {row} is {str(status)!r} without a reason")
        _require(bool(np.isnan(found.values[row]).all()), f"design {row} is {str(status)!r} but has numbers; give NaN")


def _usable(simulator: Simulator, workload: str, rng: np.random.Generator) -> Designs:
    """A design that can be scored, int32[d]: few can where a workload asks for much memory, but some must."""
    for _ in range(_LOOKS):
        rows = simulator.space.sample(_LOOKED_AT, rng)
        usable = np.flatnonzero(simulator.simulate(rows, workload).ok)
        if len(usable):
            return np.asarray(rows[usable[0]])
    raise AssertionError(f"none of {_LOOKS * _LOOKED_AT} sampled designs could be scored; some must be usable")


def _same(a: Evaluations, b: Evaluations) -> bool:
    return np.array_equal(a.values, b.values, equal_nan=True) and np.array_equal(a.status, b.status)


def _batches(
    simulator: Simulator, workload: str, designs: Designs, found: Evaluations, rng: np.random.Generator
) -> None:
    singles = Evaluations.concatenate([simulator.simulate(designs[i : i + 1], workload) for i in range(len(designs))])
    _require(_same(found, singles), "a batch of n gave other numbers than n batches of one; designs must not interact")
    order = rng.permutation(len(designs))
    shuffled = simulator.simulate(designs[order], workload)
    _require(_same(found.take(order), shuffled), "a reordered batch gave other numbers; row i must answer for design i")


def _threads(simulator: Simulator, workload: str, designs: Designs, found: Evaluations) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: simulator.simulate(designs, workload), range(4)))
    kept = all(_same(found, answer) for answer in answers)
    _require(kept, "four threads at once got other numbers than one; simulate must not share state between calls")


def _canonical(simulator: Simulator, workload: str, designs: Designs, found: Evaluations) -> None:
    untouched = designs.copy()
    canonical = simulator.canonical(designs)
    _require(np.array_equal(designs, untouched), "canonical changed the designs it was given; work on a copy")
    _require(canonical.shape == designs.shape, "canonical must return one design for each it is given")
    try:
        canonical = simulator.space.validate(canonical)
    except InvalidInput as error:
        raise AssertionError(f"canonical left the space: {error}") from None
    _require(bool(simulator.space.feasible(canonical).all()), "canonical of a feasible design breaks a constraint")
    twice = simulator.canonical(canonical)
    _require(np.array_equal(canonical, twice), "canonical is not idempotent: canonical(canonical(x)) differs")
    scored = simulator.simulate(canonical, workload)
    _require(_same(found, scored), "canonical changed the metrics of a design; it may only collapse what cannot differ")


def _refusals(simulator: Simulator, workload: str, designs: Designs) -> None:
    outside = designs[:1].copy()
    outside[0, 0] = simulator.space.cardinalities[0]
    for wrong, what in ((outside, "a design outside the space"), (designs[:1, :-1], "a design that lacks a parameter")):
        try:
            simulator.simulate(wrong, workload)
        except InvalidInput:
            continue
        except Exception as error:
            raise AssertionError(f"{what} raised {type(error).__name__}; call space.validate(designs) first") from error
        raise AssertionError(f"{what} was accepted; call space.validate(designs) first")
    try:
        simulator.simulate(designs[:1], _BOGUS_WORKLOAD)
    except (UnknownName, InvalidInput):
        return
    except Exception as error:
        raise AssertionError(f"an unknown workload raised {type(error).__name__}; raise UnknownName") from error
    raise AssertionError("an unknown workload was accepted; raise UnknownName('workload', got, self.workloads)")


def _fingerprint(simulator: Simulator, workload: str) -> None:
    first, second = simulator.workload_fingerprint(workload), simulator.workload_fingerprint(workload)
    _require(bool(first) and first == second, "workload_fingerprint must be the same non-empty text every time")
