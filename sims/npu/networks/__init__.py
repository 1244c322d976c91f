"""Networks by name ("resnet18"), by specification ("bert-base:sequence=384,batch=8") or from an ONNX file."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from archgym.errors import InvalidInput, UnknownName
from archgym.sims.npu.layers import Network
from archgym.sims.npu.networks import alexnet, mobilenet, resnet, transformer

__all__ = ["NETWORKS", "SOURCES", "fingerprint", "network"]

_MADE: Mapping[str, tuple[Callable[..., Network], str]] = MappingProxyType(
    {
        "alexnet": (alexnet.alexnet, alexnet.SOURCE),
        "resnet18": (resnet.resnet18, resnet.SOURCE),
        "resnet50": (resnet.resnet50, resnet.SOURCE),
        "mobilenet-v2": (mobilenet.mobilenet_v2, mobilenet.SOURCE),
        "bert-base": (transformer.bert_base, transformer.BERT_SOURCE),
        "vit-b16": (transformer.vit_b16, transformer.VIT_SOURCE),
        "gpt3-7b-prefill": (transformer.gpt3_7b_prefill, transformer.GPT3_SOURCE),
        "gpt3-7b-decode": (transformer.gpt3_7b_decode, transformer.GPT3_SOURCE),
    }
)
SOURCES: Mapping[str, str] = MappingProxyType({name: source for name, (_, source) in _MADE.items()})
"""Where the sizes of each network come from."""
NETWORKS: Mapping[str, Network] = MappingProxyType({name: make() for name, (make, _) in _MADE.items()})
"""Every shipped network for one sample."""


def network(name_or_path: str | os.PathLike[str], batch: int | None = None, **sizes: int) -> Network:
    """Give the layers of a shipped network or of an ONNX file.

    Args:
        name_or_path: a name of `NETWORKS` or a path, either with sizes behind a colon ("resnet18:batch=8").
        batch: samples at once; default: one, or what the file fixes.
        sizes: further sizes: of BERT and the GPT-3 prefill `sequence`, of the decode `context`, of a file its
            symbolic dimensions.

    Raises:
        UnknownName: for a name that is neither a network nor a file, or an unknown size.
        InvalidInput: for a size below 1 or one given twice, or a file that cannot be read.
        MissingDependency: for a file when the `onnx` package is not installed.
    """
    name, given = _split(os.fspath(name_or_path))
    asked = {**sizes, **({} if batch is None else {"batch": batch})}
    for key in asked:
        if key in given:
            raise InvalidInput(f"network {os.fspath(name_or_path)!r}: size {key!r} is given twice")
    given |= asked
    if name in _MADE:
        return _make(name, given)
    return _read(name, given)


def fingerprint(name_or_path: str | os.PathLike[str]) -> str:
    """Identify a network by its layers, so that weights and names of files do not matter.

    Raises:
        UnknownName, InvalidInput, MissingDependency: as `network`.
    """
    return "sha256:" + hashlib.sha256(repr(network(name_or_path)).encode()).hexdigest()


def _split(spec: str) -> tuple[str, dict[str, int]]:
    """The name and the sizes; a colon without `=` behind it belongs to the path."""
    name, colon, rest = spec.rpartition(":")
    if not colon or (rest and "=" not in rest) or Path(spec).exists():
        return spec, {}
    found: dict[str, int] = {}
    for pair in filter(None, rest.split(",")):
        key, _, value = (part.strip() for part in pair.partition("="))
        if key in found:
            raise InvalidInput(f"network {spec!r}: size {key!r} is given twice")
        if not (value.isascii() and value.isdigit()):
            raise InvalidInput(f"network {spec!r}: got {pair!r}, expected size=number, such as batch=8")
        found[key] = int(value)
    return name, found


def _make(name: str, sizes: Mapping[str, int]) -> Network:
    make = _MADE[name][0]
    allowed = inspect.signature(make).parameters
    for key, size in sizes.items():
        if key not in allowed:
            raise UnknownName(f"size of network {name!r}", key, allowed)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise InvalidInput(f"network {name!r}: {key}={size!r} is out of range; allowed: whole numbers from 1")
    return make(**sizes) if sizes else NETWORKS[name]


def _read(name: str, sizes: Mapping[str, int]) -> Network:
    path = Path(name).expanduser()
    if not path.exists() and not path.suffix and path.parent == Path():
        raise UnknownName("network (and no file has this name)", name, NETWORKS)
    stamp = (path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else (0, 0)
    return _read_once(str(path), stamp, tuple(sorted(sizes.items())))


@lru_cache(maxsize=32)
def _read_once(path: str, stamp: tuple[int, int], sizes: tuple[tuple[str, int], ...]) -> Network:  # noqa: ARG001 - part of the key: an edited file is read again
    from archgym.sims.npu.onnx_import import read_onnx

    dimensions = dict(sizes)
    return read_onnx(path, batch=dimensions.pop("batch", None), dimensions=dimensions)
