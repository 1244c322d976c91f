"""Tables of VALIDATION.md: elements of multiply-accumulate units alone, and the units around them, by technology.

python -m archgym.rtl.flow.compare_macs elements [TECHNOLOGY or LIBERTY ...]
python -m archgym.rtl.flow.compare_macs units [TECHNOLOGY or LIBERTY ...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from archgym.errors import InvalidInput
from archgym.rtl.envs.workloads import work
from archgym.rtl.flow.candidates import Candidate, Search
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.measure import measure
from archgym.rtl.flow.point import Point, Workload
from archgym.rtl.library import block
from archgym.rtl.mac.stimuli import dot_products
from archgym.rtl.tech.technology import technology

__all__ = ["element_rows", "main", "unit_rows"]

_MAC = {"Width": 8, "AccWidth": 32}
_ELEMENTS: dict[str, tuple[str, str, dict[str, int]]] = {
    "MAC, behavioural `*`": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 0, "CarrySave": 0}),
    "MAC, Booth inside": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 1, "CarrySave": 0}),
    "MAC, Booth at the edge": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 2, "CarrySave": 0}),
    "MAC, EN-T at the edge": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 3, "CarrySave": 0}),
    "OPT1 (carry-save), Booth inside": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 1, "CarrySave": 1}),
    "OPT1, Booth at the edge": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 2, "CarrySave": 1}),
    "OPT1, EN-T at the edge": ("mac_unit", "mac_pe", {**_MAC, "Multiplier": 3, "CarrySave": 1}),
    "OPT3/OPT4C digit element, 26 bits": ("digit_mac", "digit_pe", {"Width": 8, "PairWidth": 26, "Digits": 1}),
    "OPT4E element, four digits": ("opt4e_group", "digit_pe", {"Width": 8, "PairWidth": 26, "Digits": 4}),
    "digit element with Horner, 32 bits": (
        "digit_mac", "digit_pe", {"Width": 8, "PairWidth": 32, "Digits": 1, "Horner": 1},
    ),
}  # fmt: skip
_MULTIPLIERS = ("`*`", "Booth inside", "Booth edge", "EN-T edge", "EN-T before")
_UNITS: dict[str, tuple[str, dict[str, int]]] = {
    **{
        f"{kind} {name}": ("mac_unit", {**_MAC, "Multiplier": index, "CarrySave": carry_save, "Pipeline": 0})
        for carry_save, kind in enumerate(("MAC", "OPT1"))
        for index, name in enumerate(_MULTIPLIERS)
    },
    **{
        f"{name}{', Horner' if horner else ''}": (
            unit, {**_MAC, **shape, "Lanes": 4, "Multiplier": 3, "Horner": horner, "SkipEmpty": 0},
        )
        for name, unit, shape in (
            ("OPT3, one element", "digit_mac", {"Columns": 1, "Encoders": 1}),
            ("OPT4C, 16 columns", "opt4c_column", {"Columns": 16, "Encoders": 1}),
            ("OPT4E, 16 columns", "opt4e_group", {"Columns": 16, "Encoders": 4}),
        )
        for horner in (0, 1)
    },
}  # fmt: skip
_PRODUCTS = 64  # of a dot product
_BEATS = 128


def element_rows(names: Sequence[str]) -> Iterator[str]:
    """Shortest critical path and area of each element, no wrapper around it."""
    for label, (unit, top, parameters) in _ELEMENTS.items():
        design = Design(block(unit).paths(), top, parameters)
        found = [Search(design, technology(name)).fastest() for name in names]
        cells = (f"{each.timing.critical_ns:.3f} | {each.area_um2:,.0f}" for each in map(_mapped, found))
        yield f"| {label} | {' | '.join(cells)} |"


def _mapped(found: object) -> Candidate:
    if not isinstance(found, Candidate):
        raise InvalidInput(f"an element was not mapped: {found}")
    return found


def unit_rows(names: Sequence[str]) -> Iterator[str]:
    """The units at the shortest clock, on dot products of 64 operands as quantised layers have them."""
    played = Workload("dot products of 64", work("gemm:512x512x512").draw, _BEATS, make=dot_products(_PRODUCTS))
    for label, (unit, parameters) in _UNITS.items():
        found = measure([Point(block(unit), parameters, name, workload=played) for name in names])
        yield f"| {label} | {' | '.join(_said(each.metrics) or each.reason for each in found)} |"


def _said(metrics: Mapping[str, float]) -> str:
    if not metrics:
        return ""
    return (
        f"{metrics['area_um2']:,.0f} | {metrics['critical_path_ns']:.3f} | {metrics['macs_per_cycle']:.3g} | "
        f"{metrics['energy_per_mac_pj']:.3g} | {metrics['tops_per_mm2']:.3g}"
    )


def main(arguments: Sequence[str]) -> None:
    """Print one of the tables."""
    what, *rest = arguments or ["elements"]
    names = rest or ["generic45"]
    columns = ("ns", "um2") if what == "elements" else ("um2", "ns", "MACs a cycle", "pJ/MAC", "TOPS/mm2")
    rows = element_rows(names) if what == "elements" else unit_rows(names)
    head = "".join(f" | {technology(name).name}: {columns[0]} | {' | '.join(columns[1:])}" for name in names)
    sys.stdout.write(f"| {what}{head} |\n|---{'|--:' * (len(columns) * len(names))}|\n")
    for row in rows:
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
