"""Networks from CSV files: one layer a line, with the headers SCALE-Sim's topology files have.

    Layer, M, N, K                                                                 and optionally: Batch
    Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides
                                                                 and optionally: Padding, Dilation, Groups, Batch

Upper and lower case do not matter, nor does a comma at the end of a line. Output sizes are rounded down, as everywhere
else; SCALE-Sim rounds them up where the stride does not divide.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from archgym.errors import InvalidInput, TraceError
from archgym.sims.npu.layers import Layer, Network, conv, gemm

__all__ = ["read_csv"]

_GEMM = ("m", "n", "k")
_CONV = ("ifmap height", "ifmap width", "filter height", "filter width", "channels", "num filter", "strides")
_OPTIONAL = {"gemm": {"batch": 1}, "conv": {"padding": 0, "dilation": 1, "groups": 1, "batch": 1}}


def read_csv(path: str | Path) -> Network:
    """Read a network.

    Raises:
        TraceError: for a file that cannot be read, an unknown header or a broken line (with its number).
    """
    place = Path(path)
    try:
        with place.open(newline="", encoding="utf-8-sig") as file:
            lines = [
                (number, row) for number, row in enumerate(csv.reader(file), 1) if any(cell.strip() for cell in row)
            ]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"{place}: cannot be read: {error}") from error
    if len(lines) < 2:
        raise TraceError(f"{place}: a network needs a header and at least one layer")
    header = [cell.strip().lower() for cell in lines[0][1] if cell.strip()]
    kind = "gemm" if set(_GEMM) <= set(header) else "conv" if set(_CONV) <= set(header) else ""
    known = {*(_GEMM if kind == "gemm" else _CONV), *_OPTIONAL.get(kind, ())}
    if not kind or not set(header[1:]) <= known or len(set(header)) != len(header):
        raise TraceError(
            f"{place}: header {', '.join(header)!r} is not known; allowed: a name, then {', '.join(_GEMM)} (and batch) "
            f"or {', '.join(_CONV)} (and {', '.join(_OPTIONAL['conv'])})"
        )
    return tuple(_layer(f"{place}, line {number}", kind, header, row) for number, row in lines[1:])


def _layer(where: str, kind: str, header: list[str], row: list[str]) -> Layer:
    cells = [cell.strip() for cell in row]
    while len(cells) > len(header) and not cells[-1]:
        cells.pop()
    if len(cells) != len(header):
        raise TraceError(f"{where}: {len(cells)} values for {len(header)} columns")
    try:
        sizes = {**_OPTIONAL[kind], **{name: int(cell) for name, cell in zip(header[1:], cells[1:], strict=True)}}
    except ValueError:
        wrong = ", ".join(
            f"{name} {cell!r}" for name, cell in zip(header[1:], cells[1:], strict=True) if not _whole(cell)
        )
        raise TraceError(f"{where}: got {wrong[:200]}; allowed: whole numbers") from None
    try:
        return _made(cells[0] or where, kind, sizes)
    except InvalidInput as error:
        raise TraceError(f"{where}: {error}") from None


def _whole(cell: str) -> bool:
    try:
        int(cell)
    except ValueError:
        return False
    return True


def _made(name: str, kind: str, sizes: Mapping[str, int]) -> Layer:
    if kind == "gemm":
        return gemm(name, sizes["m"], sizes["n"], sizes["k"], sizes["batch"])
    return conv(
        name,
        in_h=sizes["ifmap height"],
        in_w=sizes["ifmap width"],
        in_c=sizes["channels"],
        out_c=sizes["num filter"],
        kernel=(sizes["filter height"], sizes["filter width"]),
        stride=sizes["strides"],
        padding=sizes["padding"],
        dilation=sizes["dilation"],
        groups=sizes["groups"],
        batch=sizes["batch"],
    )
