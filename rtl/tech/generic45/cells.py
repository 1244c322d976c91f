"""The cells: names, functions and the stages they are built of."""

from __future__ import annotations

from collections.abc import Iterator

from archgym.rtl.tech.generic45.topology import CellPlan, Parallel, Series, Stage, Tree

__all__ = ["combinational"]

_NAMES = "ABCDE"


def _join(kind: type[Series | Parallel], names: str) -> Tree:
    return names if len(names) == 1 else kind(tuple(names))


def _text(tree: Tree) -> str:
    if isinstance(tree, str):
        return tree
    sign = "&" if isinstance(tree, Series) else "|"
    return "(" + sign.join(map(_text, tree.parts)) + ")"


def _inner(fingers: float) -> float:
    """Of a stage that drives another of the cell: half its width, the effort of two that a buffer's stages have."""
    return max(fingers / 2, 0.5)


def _inverting(name: str, pull_down: Tree, inputs: str, drives: tuple[int, ...]) -> Iterator[CellPlan]:
    for drive in drives:
        stages = (Stage("Y", pull_down, drive),)
        yield CellPlan(f"{name}_X{drive}", tuple(inputs), {"Y": f"!{_text(pull_down)}"}, stages)


def _buffered(name: str, pull_down: Tree, inputs: str, drives: tuple[int, ...]) -> Iterator[CellPlan]:
    for drive in drives:
        stages = (Stage("n", pull_down, _inner(drive)), Stage("Y", "n", drive))
        yield CellPlan(f"{name}_X{drive}", tuple(inputs), {"Y": _text(pull_down)}, stages)


def _and_or(*groups: str, kind: type[Series | Parallel]) -> Tree:
    """AOI (kind Series: groups are ANDed inside, ORed outside) or OAI."""
    outer = Parallel if kind is Series else Series
    return outer(tuple(_join(kind, group) for group in groups))


def _exclusive(drive: int) -> Iterator[CellPlan]:
    # a ^ b = !(a b + !(a + b)) and its dual: a two-input gate and a complex gate (Weste and Harris, 4th ed., 11.7.4).
    nor = Stage("n", Parallel(("A", "B")), _inner(drive))
    nand = Stage("n", Series(("A", "B")), _inner(drive))
    xor = Stage("Y", Parallel((Series(("A", "B")), "n")), drive)
    xnor = Stage("Y", Series((Parallel(("A", "B")), "n")), drive)
    yield CellPlan(f"XOR2_X{drive}", ("A", "B"), {"Y": "A^B"}, (nor, xor))
    yield CellPlan(f"XNOR2_X{drive}", ("A", "B"), {"Y": "!(A^B)"}, (nand, xnor))


def _multiplexer(drive: int) -> CellPlan:
    stages = (
        Stage("sn", "S", 0.5),
        Stage("n", Parallel((Series(("A", "sn")), Series(("B", "S")))), _inner(drive)),
        Stage("Y", "n", drive),
    )
    return CellPlan(f"MUX2_X{drive}", ("A", "B", "S"), {"Y": "(A&!S)|(B&S)"}, stages)


def _half_adder(drive: int) -> CellPlan:
    stages = (
        Stage("cn", Series(("A", "B")), _inner(drive)),
        Stage("CO", "cn", drive),
        Stage("sn", Series((Parallel(("A", "B")), "cn")), _inner(drive)),
        Stage("S", "sn", drive),
    )
    return CellPlan(f"HA_X{drive}", ("A", "B"), {"CO": "A&B", "S": "A^B"}, stages)


def _full_adder(drive: int) -> CellPlan:
    # The mirror adder, 28 transistors: Weste and Harris, 4th ed., figure 11.4; networks are their own mirror images.
    carry = Parallel((Series(("CI", Parallel(("A", "B")))), Series(("A", "B"))))
    total = Parallel((Series(("cn", Parallel(("A", "B", "CI")))), Series(("A", "B", "CI"))))
    inner = _inner(drive)
    stages = (
        Stage("cn", carry, inner, carry),
        Stage("CO", "cn", drive),
        Stage("sn", total, inner, total),
        Stage("S", "sn", drive),
    )
    functions = {"CO": "(A&B)|(A&CI)|(B&CI)", "S": "A^B^CI"}
    # One diffusion break: carry and sum networks end in different nodes and cannot share all of a row.
    return CellPlan(f"FA_X{drive}", ("A", "B", "CI"), functions, stages, extra_columns=1)


def combinational() -> list[CellPlan]:
    """All cells without state."""
    found = [*_inverting("INV", "A", "A", (1, 2, 4, 8, 16)), *_buffered("BUF", "A", "A", (1, 2, 4, 8, 16))]
    for count in (2, 3, 4):
        names = _NAMES[:count]
        drives = (1, 2, 4) if count == 2 else (1, 2)
        for kind, inverting, buffered in ((Series, "NAND", "AND"), (Parallel, "NOR", "OR")):
            found += _inverting(f"{inverting}{count}", _join(kind, names), names, drives)
            found += _buffered(f"{buffered}{count}", _join(kind, names), names, drives)
    for shape, groups in (
        ("21", ("AB", "C")),
        ("22", ("AB", "CD")),
        ("211", ("AB", "C", "D")),
        ("221", ("AB", "CD", "E")),
    ):
        drives = (1, 2, 4) if len(groups) == 2 else (1, 2)
        inputs = "".join(groups)
        found += _inverting(f"AOI{shape}", _and_or(*groups, kind=Series), inputs, drives)
        found += _inverting(f"OAI{shape}", _and_or(*groups, kind=Parallel), inputs, drives)
    for drive in (1, 2, 4):
        found += [*_exclusive(drive), _multiplexer(drive)]
    for drive in (1, 2):
        found += [_half_adder(drive), _full_adder(drive)]
    return found
