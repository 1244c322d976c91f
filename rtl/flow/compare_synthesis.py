"""Tables of VALIDATION.md: recipes beside each other, and hierarchical beside flattened synthesis.

python -m archgym.rtl.flow.compare_synthesis recipes [TECHNOLOGY ...]
python -m archgym.rtl.flow.compare_synthesis hierarchy [SIZE ...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from archgym.rtl.flow.candidates import Search
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.measure import measure_one
from archgym.rtl.flow.point import Measured, Point, Workload
from archgym.rtl.flow.recipe import EFFORTS
from archgym.rtl.flow.results import Results
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology

__all__ = ["hierarchy_rows", "main", "recipe_rows"]

_UNITS = {
    "behavioural": {"Multiplier": 0, "CarrySave": 0},
    "Booth": {"Multiplier": 1, "CarrySave": 0},
    "Booth, carry-save": {"Multiplier": 1, "CarrySave": 1},
}
_ENGINES = ("systolic_os", "systolic_ws", "matrix2d")
_CLOCK_NS = 2.0  # closes everywhere, so that both are sized for the same


def recipe_rows(name: str) -> Iterator[str]:
    """Area and critical path of the INT8 MAC units by recipe, sized for the shortest path."""
    unit = block("mac_unit")
    for label, options in _UNITS.items():
        design = Design.of(unit, {"Width": 8, "AccWidth": 32, "Pipeline": 0, **options})
        search = Search(design, technology(name), effort="high")
        search.fastest()
        found = {
            each.recipe.name: f"{each.area_um2:,.0f} um2, {each.timing.critical_ns:.3f} ns" for each in search.tried
        }
        cells = " | ".join(found.get(recipe.name, "") for recipe in EFFORTS["high"])
        yield f"| {technology(name).name}, {label} | {cells} |"


def hierarchy_rows(sizes: Sequence[int]) -> Iterator[str]:
    """What flattened synthesis finds over what hierarchical synthesis finds, for square INT8 arrays."""
    for name in _ENGINES:
        for size in sizes:
            apart, together = (_measured(name, size, hierarchical=flag) for flag in (True, False))
            yield f"| {name} {size}x{size} | {' | '.join(_compared(apart, together))} |"


def _measured(name: str, size: int, *, hierarchical: bool) -> Measured:
    unit = block(name)
    sizes = {"Rows": size, "Cols": size, "Width": 8, "AccWidth": 32, "Multiplier": 1}
    values = {each.name: sizes.get(each.name, int(each.choices[0])) for each in unit.parameters}
    point = Point(
        unit, values, clock_ns=_CLOCK_NS, hierarchical=hierarchical, effort="quick", workload=Workload(beats=16)
    )
    return measure_one(point, limits=Limits(seconds=1200), results=Results())


def _compared(apart: Measured, together: Measured) -> list[str]:
    for found in (apart, together):
        if found.status != "ok":
            return [found.reason]
    columns = [f"{apart.metrics['cells']:,.0f}"]
    columns += [
        f"{100 * (apart.metrics[name] / together.metrics[name] - 1):+.1f} %"
        for name in ("area_um2", "critical_path_ns", "power_mw", "energy_per_mac_pj")
    ]
    costs: tuple[Mapping[str, float], ...] = (apart.details, together.details)
    return [*columns, *(f"{cost['synthesis_cpu_s']:.1f}" for cost in costs)]


def main(arguments: Sequence[str]) -> None:
    """Print one of the tables."""
    what, *rest = arguments or ["recipes"]
    if what == "recipes":
        head = f"| | {' | '.join(recipe.name for recipe in EFFORTS['high'])} |"
        rows: Iterator[str] = (row for name in rest or ["generic45"] for row in recipe_rows(name))
    else:
        head = (
            "| array | cells | area | critical path | power | energy per MAC | hierarchical, CPU s | flattened, CPU s |"
        )
        rows = hierarchy_rows([int(size) for size in rest] or [4])
    sys.stdout.write(f"{head}\n|---{'|--:' * (head.count('|') - 2)}|\n")
    for row in rows:
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
