"""A described module as a block: parsed, its ports told apart, its model loaded."""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np

from archgym.errors import InvalidInput, UnknownName
from archgym.rtl.block import Block, Draw, Parameters, Port, Streams, uniform
from archgym.rtl.flow.parse import Parsed, RtlError, RtlPort, parse
from archgym.rtl.flow.point import Workload
from archgym.rtl.flow.safety import check_texts
from archgym.rtl.own.description import Description, load_description
from archgym.rtl.own.interface import Interface, discover
from archgym.rtl.own.model import Model, checked_streams, load_model
from archgym.space import Parameter

__all__ = ["RANDOM", "OwnModule", "load_module"]

RANDOM = "random"
"""The workload that every module has: its model's `stimulus`, or any value on every input."""
_CROSSED = 125  # directed rows: extremes of up to three ports crossed
_ALL = 10  # input bits of a combinational module up to which the directed rows are all there are
_WIDEST = 64
_MODEL_SECONDS = 10.0  # a model may take so long however tight the limit of the tools is: it may import much
_TRIES = 64  # points that are elaborated where the RTL refuses its own defaults


def load_module(path: Path) -> OwnModule:
    """A module from its description file.

    Raises:
        InvalidInput: the file, a source or the model is not right.
        UnsafeRtl: the RTL reaches outside the simulation.
    """
    return OwnModule(load_description(path), path.resolve().parent)


@final
class OwnModule:
    """A module, its parameters and its golden model."""

    def __init__(self, description: Description, folder: Path) -> None:
        """Parse the sources and load the model; the RTL is judged before anything runs it.

        Args:
            description: what is to be built.
            folder: that its paths are relative to.

        Raises:
            InvalidInput: a source, port, value or the model is not right.
            UnsafeRtl: the RTL reaches outside the simulation.
            UnknownName: the top, a parameter or a port is not there.
            MissingDependency: pyslang is not installed.
        """
        self.description, self.folder = description, folder
        self.sources = tuple(self._path(name) for name in description.sources)
        self.include = tuple(self._path(name) for name in description.include)
        for each in self.include:
            if not each.is_dir():
                raise InvalidInput(f"include: there is no folder {each}")
        self.technology = self._technology()
        self._parsed: dict[tuple[tuple[str, int], ...], Parsed | RtlError] = {}
        self._guard = threading.RLock()
        fixed = {name: value for name, value in description.parameters.items() if isinstance(value, int)}
        self.choices = {name: tuple(v if isinstance(v, list) else [v]) for name, v in description.parameters.items()}
        self.first = {name: values[0] for name, values in self.choices.items()}
        self.plain = self._elaborated_once(fixed)
        self._check_names()
        self.model: Model = load_model(self._path(description.golden), max(description.limits.seconds, _MODEL_SECONDS))
        self.workloads = (RANDOM, *(name for name in self.model.stimuli if name != RANDOM))
        self.block = self._block()

    def _path(self, name: str) -> Path:
        return (self.folder / Path(name).expanduser()).resolve()

    def _technology(self) -> str:
        """A Liberty file beside the description is one; other names are the registry's business."""
        beside = self._path(self.description.technology)
        return str(beside) if beside.is_file() else self.description.technology

    # -- elaboration ----------------------------------------------------------------------------------------------

    def _elaborated_once(self, fixed: Mapping[str, int]) -> Parsed:
        """With defaults; or, if the RTL refuses those, with the first choices of the first parameters that it takes.

        Raises:
            RtlError: nothing compiles.
        """
        tries: list[Mapping[str, int]] = [{}, fixed, self.first]
        tries += [dict(zip(self.choices, row, strict=True)) for row in itertools.islice(self._rows(), _TRIES)]
        found = (self._elaborated(each) for each in tries)
        first = next(found)
        return next((each for each in itertools.chain([first], found) if isinstance(each, Parsed)), None) or _raise(
            first
        )

    def _rows(self) -> itertools.product[tuple[int, ...]]:
        return itertools.product(*self.choices.values())

    def parsed(self, parameters: Parameters) -> Parsed:
        """Elaborated with these values.

        Raises:
            RtlError: the RTL refuses them.
        """
        return _raise(self._elaborated(parameters))

    def _elaborated(self, parameters: Parameters) -> Parsed | RtlError:
        key = tuple(sorted(parameters.items()))
        with self._guard:
            if key not in self._parsed:
                said = self.description
                try:
                    found = parse(self.sources, said.top, parameters, include=self.include, allow=said.allow)
                except RtlError as problem:
                    self._parsed[key] = problem
                else:
                    self._parsed[key] = found
            return self._parsed[key]

    def _check_names(self) -> None:
        known = {each.name: each for each in self.plain.parameters}
        for name in self.choices:
            if name not in known:
                raise UnknownName(f"parameter of {self.plain.top}", name, known)
            if known[name].value is None:
                raise InvalidInput(
                    f"parameter {name} is of type {known[name].type}; only whole numbers can be searched"
                )
        ports = [each.name for each in self.plain.ports]
        for name in self.description.ports:
            if name not in ports:
                raise UnknownName(f"port of {self.plain.top}", name, ports)
        modules = self.plain.modules
        for name in self.description.keep:
            if name not in modules:
                raise UnknownName("module to keep", name, modules)

    # -- ports ----------------------------------------------------------------------------------------------------

    def interface(self, parsed: Parsed) -> Interface:
        """The ports by what they are for.

        Raises:
            InvalidInput: see `discover`.
        """
        said = self.description
        return discover(
            parsed.ports,
            clock=said.clock,
            reset=said.reset,
            active_low=None if said.reset_active is None else said.reset_active == "low",
            handshake=said.handshake.model_dump() if said.handshake else None,
        )

    def ports(self, parameters: Parameters) -> tuple[Port, ...]:
        """Data ports with lanes and signs.

        Raises:
            InvalidInput: lanes that do not divide the port, or values of more than 64 bits.
        """
        parsed = self.parsed(parameters)
        values = {each.name: each.value for each in parsed.parameters}
        return tuple(self._port(port, values) for port in self.interface(parsed).data)

    def _port(self, port: RtlPort, values: Mapping[str, int | None]) -> Port:
        said = self.description.ports.get(port.name)
        lanes: int | None = 1
        if said is not None:
            if isinstance(said.lanes, str) and said.lanes not in values:
                raise UnknownName(f"parameter (lanes of {port.name})", said.lanes, values)
            lanes = values[said.lanes] if isinstance(said.lanes, str) else said.lanes
        if not lanes or lanes < 1 or port.width % lanes:
            raise InvalidInput(f"port {port.name} has {port.width} bits, which are not {lanes} lanes of equal width")
        width = port.width // lanes
        if width > _WIDEST:
            raise InvalidInput(
                f"port {port.name} has values of {width} bits; at most {_WIDEST} are supported: divide it into lanes "
                f"(--lanes {port.name}=N, or ports: {{{port.name}: {{lanes: N}}}} in the description)"
            )
        signed = port.signed if said is None or said.signed is None else said.signed
        return Port(port.name, port.direction, width, lanes, signed, port.doc)  # type: ignore[arg-type]

    # -- the block ------------------------------------------------------------------------------------------------

    def _block(self) -> Block:
        interface = self.interface(self.plain)
        if self.description.latency is not None and interface.kind != "pipeline":
            why = "has a handshake, which tells it" if interface.kind == "stream" else "has no clock"
            raise InvalidInput(f"latency = {self.description.latency}, but {self.plain.top} {why}; leave it out")
        docs = {each.name: each.doc for each in self.plain.parameters}
        model = self.model
        return Block(
            name=self.description.name,
            family="own",
            top=self.plain.top,
            kind=interface.kind,
            sources=tuple(map(str, self.sources)),
            parameters=tuple(_parameter(name, values, docs[name]) for name, values in self.choices.items()),
            ports=self.ports,
            golden=self._golden,
            stimulus=self._random,
            corners=self._corners if interface.kind != "stream" or model.has("corners") else None,
            macs=self._macs,
            reject=self._reject,
            keep=tuple(self.description.keep),
            doc=self.plain.doc,
            signals=interface.signals,
            latency=self._latency,
            include=tuple(map(str, self.include)),
            fingerprint=self._fingerprint(),
        )

    def with_latency(self, latency: int) -> OwnModule:
        """The same with another latency."""
        return OwnModule(self.description.model_copy(update={"latency": latency}), self.folder)

    def _fingerprint(self) -> str:
        files = check_texts(self.sources, include=self.include, allow=self.description.allow)
        digest = hashlib.sha256(self.model.digest.encode())
        for path in files:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    def _inputs(self, parameters: Parameters) -> list[Port]:
        return [port for port in self.ports(parameters) if port.direction == "in"]

    def _reject(self, parameters: Parameters) -> str:
        try:
            self.ports(parameters)
        except RtlError as problem:
            return f"the RTL refuses it: {problem}"
        except InvalidInput as problem:
            return str(problem)
        return ""

    def _latency(self, parameters: Parameters) -> int:
        stated = self.description.latency
        return stated if stated is not None else self.model.latency(self._values(parameters)) or 0

    @property
    def states_latency(self) -> bool:
        """Whether the description or the model says the latency."""
        return self.description.latency is not None or self.model.has("latency") or self.model.has("LATENCY")

    def _values(self, parameters: Parameters) -> dict[str, int]:
        """All of the module's parameters, those that keep their default included: what a model is given."""
        found = {each.name: each.value for each in self.parsed(parameters).parameters}
        return {name: value for name, value in found.items() if value is not None}

    def _numbers(self, parameters: Parameters, streams: Streams) -> dict[str, Any]:
        return {port.name: port.numbers(streams[port.name]) for port in self._inputs(parameters)}

    def _golden(self, parameters: Parameters, streams: Streams) -> Streams:
        found = self.model.call("golden", self._values(parameters), self._numbers(parameters, streams))
        outs = [port for port in self.ports(parameters) if port.direction == "out"]
        rows = None if self.block.kind == "stream" else len(next(iter(streams.values())))
        return checked_streams(f"{self.model.path.name}: golden", found, outs, rows)

    def _macs(self, parameters: Parameters, streams: Streams) -> float:
        if not self.model.has("macs"):
            return 0.0
        found = self.model.call("macs", self._values(parameters), self._numbers(parameters, streams))
        if not isinstance(found, (int, float, np.integer, np.floating)) or not 0 <= found < float("inf"):
            raise InvalidInput(f"{self.model.path}: macs must give a number of at least 0, got {found!r}")
        return float(found)

    # -- stimuli --------------------------------------------------------------------------------------------------

    def workload(self, name: str) -> Workload:
        """What is computed while power is measured.

        Raises:
            UnknownName: the model has no such stimulus.
        """
        if name not in self.workloads:
            raise UnknownName("workload", name, self.workloads)
        make = self._random if name == RANDOM else self._named(name)
        return Workload(name, beats=self.description.beats, make=make)

    def _named(self, name: str) -> Callable[..., Streams]:
        def make(p: Parameters, rng: np.random.Generator, n: int, _draw: Draw = uniform) -> Streams:
            return self._from_model(f"stimulus_{name}", p, rng, n)

        return make

    def _from_model(self, function: str, p: Parameters, *arguments: Any) -> Streams:
        what = f"{self.model.path.name}: {function}"
        found = checked_streams(what, self.model.call(function, self._values(p), *arguments), self._inputs(p))
        if not len(next(iter(found.values()))):
            raise InvalidInput(f"{what} gave no rows; it must give at least one")
        return found

    def _random(self, p: Parameters, rng: np.random.Generator, n: int, draw: Draw = uniform) -> Streams:
        if self.model.has("stimulus"):
            return self._from_model("stimulus", p, rng, n)
        found = {}
        for port in self._inputs(p):
            values = draw(rng, (n,) if port.lanes == 1 else (n, port.lanes), port.width)
            found[port.name] = values if port.signed or port.width == _WIDEST else values & ((1 << port.width) - 1)
        return found

    def _corners(self, p: Parameters) -> Streams:
        """Extremes of every input crossed, all lanes alike; all there are of small combinational modules."""
        if self.model.has("corners"):
            return self._from_model("corners", p)
        ports = self._inputs(p)
        bits = sum(port.bits for port in ports)
        if self.block.kind == "combinational" and bits <= _ALL and all(port.lanes == 1 for port in ports):
            choices = [range(_least(port), _least(port) + (1 << port.width)) for port in ports]
            rows = np.array(list(itertools.product(*choices)), dtype=np.int64)
        else:
            extremes = [_extremes(port) for port in ports]
            rows = np.array(list(itertools.islice(itertools.product(*extremes), _CROSSED)), dtype=np.int64)
            shifted = [np.resize(each, max(map(len, extremes))) for each in extremes]
            rows = np.concatenate([rows, np.stack(shifted, axis=1).astype(np.int64)])
        return {
            port.name: rows[:, i] if port.lanes == 1 else np.repeat(rows[:, i : i + 1], port.lanes, axis=1)
            for i, port in enumerate(ports)
        }


def _raise(found: Parsed | RtlError) -> Parsed:
    """What elaboration gave.

    Raises:
        RtlError: that is what it gave.
    """
    if isinstance(found, RtlError):
        raise found
    return found


def _least(port: Port) -> int:
    return -(1 << (port.width - 1)) if port.signed else 0


def _extremes(port: Port) -> list[int]:
    most = _least(port) + (1 << port.width) - 1
    if most >> 63:  # all ones, as int64 holds them
        return [-1, 0, 1]
    return sorted({_least(port), most, 0, min(1, most), max(-1, _least(port))})


def _parameter(name: str, values: tuple[int, ...], doc: str) -> Parameter:
    ascending = all(a < b for a, b in itertools.pairwise(values))
    return replace(Parameter(name, values), kind="ordinal" if ascending else "categorical", group="rtl", doc=doc)
