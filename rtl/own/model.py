"""Golden models in Python files of other people: loaded, called, and what they say checked.

The file is run: it can do what any Python can. It has `golden(parameters, inputs)`, and may have `stimulus` and
`stimulus_NAME(parameters, rng, n)`, `corners(parameters)`, `macs(parameters, inputs)`, and `latency(parameters)` or
`LATENCY`.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import re
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, final

import numpy as np

from archgym.errors import InvalidInput, nearest
from archgym.rtl.block import Parameters, Port

__all__ = ["Model", "checked_streams", "load_model"]

_PREFIX = "stimulus_"
_SECONDS = 300.0
_IMPORT = re.compile(r"^\s*(?:from|import)\s+(\w+)", re.MULTILINE)


@final
@dataclass(frozen=True, eq=False)
class Model:
    """A loaded file."""

    path: Path
    module: ModuleType
    digest: str
    """Of the file and of what it imports from its own folder."""
    seconds: float = _SECONDS
    """Wall time of one call."""

    def has(self, name: str) -> bool:
        """Whether the file defines it."""
        return hasattr(self.module, name)

    @property
    def stimuli(self) -> tuple[str, ...]:
        """Names of its `stimulus_NAME` functions."""
        return tuple(name[len(_PREFIX) :] for name in vars(self.module) if name.startswith(_PREFIX))

    def call(self, name: str, *arguments: Any) -> Any:
        """Call one of its functions.

        Raises:
            InvalidInput: it is no function, raised something, or did not end; names file and line.
        """
        function = getattr(self.module, name)
        if not callable(function):
            raise InvalidInput(f"{self.path}: {name} must be a function, got {function!r}")
        try:
            with _time_limit(self.seconds):
                return function(*arguments)
        except _OutOfTime as problem:
            raise InvalidInput(
                f"{_place(self.path, problem)}: {name} did not end within {self.seconds:g} s; "
                "vectorise it with NumPy, or raise the limit (--seconds, or limits: {seconds: N} in the description)"
            ) from None
        except (Exception, SystemExit) as problem:
            raise InvalidInput(f"{_place(self.path, problem)}: {name} raised {_said(problem)}") from problem

    def latency(self, parameters: Parameters) -> int | None:
        """Clock edges from a row of inputs to its outputs; None if the file does not say.

        Raises:
            InvalidInput: no whole number of at least 0.
        """
        if self.has("latency"):
            found = self.call("latency", dict(parameters))
        elif self.has("LATENCY"):
            found = self.module.LATENCY
        else:
            return None
        if isinstance(found, bool) or not isinstance(found, (int, np.integer)) or found < 0:
            raise InvalidInput(f"{self.path}: the latency must be a whole number of at least 0, got {found!r}")
        return int(found)


class _OutOfTime(BaseException):
    """Not an Exception, so that a model that catches those ends, too."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_OutOfTime` in this thread at the first bytecode after so long; compiled code is not interrupted."""
    thread, guard, ended = threading.get_ident(), threading.Lock(), False

    def stop() -> None:
        with guard:
            if not ended:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_OutOfTime))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with guard:
            ended = True
        timer.cancel()


def load_model(path: Path, seconds: float = _SECONDS) -> Model:
    """Run a file.

    Args:
        path: of the file.
        seconds: wall time of running it, and of one call of a function of it.

    Raises:
        InvalidInput: it cannot be read or run (names file and line), or has no function `golden`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        found = [str(each) for each in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise InvalidInput(f"{path}: no such golden model{nearest(str(path), found)}") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"{path}: cannot be read: {problem}") from None
    digest = _digest(path, text)
    name = f"archgym_golden_{digest[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidInput(f"{path}: a golden model is a Python file, named *.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        with _time_limit(seconds):
            spec.loader.exec_module(module)
    except _OutOfTime as problem:
        del sys.modules[name]
        raise InvalidInput(f"{_place(path, problem)}: the file was not read within {seconds:g} s") from None
    except (Exception, SystemExit) as problem:
        del sys.modules[name]
        raise InvalidInput(f"{_place(path, problem)}: {_said(problem)}") from problem
    finally:
        sys.path.remove(folder)
    if not hasattr(module, "golden"):
        mine = [each for each in vars(module) if not each.startswith("_")]
        raise InvalidInput(f"{path}: no function golden(parameters, inputs){nearest('golden', mine)}")
    return Model(path, module, digest, seconds)


def _digest(path: Path, text: str) -> str:
    """Of a file and those beside it that it imports, directly or through others."""
    texts, waiting = {path.name: text}, [text]
    while waiting:
        for name in _IMPORT.findall(waiting.pop()):
            other = path.with_name(f"{name}.py")
            if other.name not in texts and other.is_file():
                texts[other.name] = other.read_text(encoding="utf-8", errors="replace")
                waiting.append(texts[other.name])
    return hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()


def _place(path: Path, problem: BaseException) -> str:
    """The last line of the file that led to a problem."""
    if isinstance(problem, SyntaxError) and problem.lineno:
        return f"{problem.filename or path}:{problem.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if Path(frame.filename) == path
    ]  # fmt: skip
    return f"{path}:{lines[-1]}" if lines else str(path)


def _said(problem: BaseException) -> str:
    text = problem.msg if isinstance(problem, SyntaxError) else str(problem)
    return f"{type(problem).__name__}: {text}".splitlines()[0]


def checked_streams(what: str, found: Any, ports: Sequence[Port], rows: int | None = None) -> dict[str, Any]:
    """Values by port as a model gives them, as integers.

    Args:
        what: gave them, for messages.
        found: a mapping of port names to arrays.
        ports: whose values there must be, and no others.
        rows: how many there must be; None: any number, the same for all.

    Raises:
        InvalidInput: another set of ports, another shape, or a value that its port cannot have.
    """
    names = [port.name for port in ports]
    if not isinstance(found, Mapping) or set(found) != set(names):
        got = ", ".join(map(str, found)) if isinstance(found, Mapping) else type(found).__name__
        raise InvalidInput(f"{what} must give values of the ports {', '.join(names)} by name, got {got or 'nothing'}")
    values = {port.name: _integers(what, port, found[port.name]) for port in ports}
    lengths = {len(each) for each in values.values()}
    if len(lengths) != 1 or (rows is not None and lengths != {rows}):
        told = ", ".join(f"{name}: {len(each)}" for name, each in values.items())
        wanted = "equally many rows of every port" if rows is None else f"{rows} rows, one an input row"
        raise InvalidInput(f"{what} must give {wanted}, got {told}")
    return values


def _integers(what: str, port: Port, found: Any) -> Any:
    try:
        values = np.asarray(found)
    except ValueError as problem:  # rows of different lengths
        raise InvalidInput(f"{what}: {port.name} is no array: {problem}") from None
    if values.dtype.kind == "f" and isinstance(found, (list, tuple)):  # NumPy's choice for [2**63, 0], too
        exact = np.asarray(found, dtype=object)
        values = exact if _whole(exact) else values
    if values.dtype.kind not in "iub" and not (values.dtype == object and _whole(values)):
        raise InvalidInput(f"{what}: {port.name} has values of type {values.dtype}; give whole numbers")
    wanted = 1 if port.lanes == 1 else 2
    if values.ndim == 2 and port.lanes == 1 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != wanted or (wanted == 2 and values.shape[1] != port.lanes):
        shape = "[rows]" if port.lanes == 1 else f"[rows, {port.lanes}]"
        raise InvalidInput(f"{what}: {port.name} has the shape {list(values.shape)}; {shape} is expected")
    word = port.width == 64 and not port.signed
    if word and values.dtype == np.int64:  # NumPy wraps such sums and differences to the right pattern
        values = values.view(np.uint64)
    least = -(1 << (port.width - 1)) if port.signed else 0
    most = (1 << (port.width - port.signed)) - 1
    if values.size:
        low, high = int(values.min()), int(values.max())
        if low < least or high > most:
            sign = "signed" if port.signed else "unsigned"
            got = low if low < least else high
            raise InvalidInput(
                f"{what}: {got} is no value of {port.name}: {port.width} bits {sign}, {least} to {most}; "
                "wrap or saturate as the RTL does"
            )
    if word:
        return values.astype(np.uint64).view(np.int64)
    return values.astype(np.int64)


def _whole(values: Any) -> bool:
    return all(isinstance(each, int) for each in values.ravel())
