"""Table of VALIDATION.md: netlists that the mapper buffered and sized, beside those that `repair` did.

python -m archgym.rtl.flow.compare_repair [DESIGN ...]

Both start from one recipe. The mapper sizes each module for the shortest path; `repair` does, and sizes once more
for the period that the netlist of the mapper closes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from archgym.errors import InvalidInput
from archgym.rtl.flow.activity import observe
from archgym.rtl.flow.candidates import driver_slew_ns
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.netlist import Netlist, flatten, read_yosys_json
from archgym.rtl.flow.point import Point, Workload
from archgym.rtl.flow.power import power
from archgym.rtl.flow.recipe import BALANCED
from archgym.rtl.flow.repair import repair
from archgym.rtl.flow.synth import Variant, synthesise_all
from archgym.rtl.flow.target import target
from archgym.rtl.flow.timing import Constraints, analyse
from archgym.rtl.library import block
from archgym.rtl.tech.technology import technology

__all__ = ["DESIGNS", "main", "row"]

_MHZ = 200.0  # closes everywhere; energy does not depend on it but for leakage
_SHORTEST_NS = 1e-3  # a delay that no design reaches: the mapper sizes for speed
_LUT = {"TileM": 2, "TileN": 16, "TileK": 4, "Group": 4, "ActWidth": 8, "WeightBits": 2, "AccWidth": 24}

DESIGNS: Mapping[str, tuple[str, Mapping[str, int], tuple[bool, ...]]] = {
    "MAC INT8, behavioural": ("mac_unit", {"AccWidth": 32, "Width": 8, "Multiplier": 0}, (False,)),
    "MAC INT8, Booth": ("mac_unit", {"AccWidth": 32, "Width": 8, "Multiplier": 1}, (False,)),
    "MAC INT8, Booth, carry-save": (
        "mac_unit",
        {"AccWidth": 32, "Width": 8, "Multiplier": 1, "CarrySave": 1},
        (False,),
    ),
    "LUT core 2x16x4, 2-bit weights": ("lut_core", {**_LUT, "Symmetric": 1, "OfflineNegation": 1}, (False, True)),
    "FMA FP16": ("fp_fma", {"ExpWidth": 5, "ManWidth": 10, "OutExpWidth": 5, "OutManWidth": 10}, (False,)),
    "systolic_os 4x4": ("systolic_os", {"Rows": 4, "Cols": 4}, (False, True)),
    "cube 4x4x4": ("cube", {"Rows": 4, "Cols": 4, "Depth": 4}, (True,)),
    "systolic_os 8x8": ("systolic_os", {"Rows": 8, "Cols": 8}, (False, True)),
    "matrix2d 8x8": ("matrix2d", {"Rows": 8, "Cols": 8}, (True,)),
    "systolic_os 16x16": ("systolic_os", {"Rows": 16, "Cols": 16}, (True,)),
    "systolic_os 32x32": ("systolic_os", {"Rows": 32, "Cols": 32}, (True,)),
}
"""Block, its parameters (the first choice of the others), and whether modules are kept apart."""

_ENGINE = {"Width": 8, "AccWidth": 32, "Multiplier": 1}


@final
@dataclass(frozen=True)
class _Figures:
    critical_ns: float
    area_um2: float
    pj: float
    """Energy per MAC."""


def row(label: str, *, hierarchical: bool) -> str:
    """Measure one design."""
    name, given, _ = DESIGNS[label]
    unit, tech = block(name), technology()
    values = {each.name: given.get(each.name, _ENGINE.get(each.name, int(each.choices[0]))) for each in unit.parameters}
    point = Point(unit, values, workload=Workload(beats=16), hierarchical=hierarchical)
    library, slew = tech.library, driver_slew_ns(tech)
    around = Constraints(1.0, input_slew_ns=slew, clock_slew_ns=slew, output_load_ff=tech.load_ff)
    found = synthesise_all(
        Design.of(unit, values),
        target(library, tech.driver, tech.load_ff),
        [Variant(BALANCED, _SHORTEST_NS), Variant(BALANCED)],
        hierarchical=hierarchical,
        limits=Limits(seconds=1200),
    )
    for each in found:
        if each.status != "ok":
            raise InvalidInput(f"{label}: {each.reason}")
    sized, plain = (flatten(read_yosys_json(each.netlist), each.top, library) for each in found)

    def figures(netlist: Netlist) -> _Figures:
        timing = analyse(netlist, library, around)
        seen = observe(point, netlist, library, timing)
        if seen.mismatch:
            raise InvalidInput(f"{label}: {seen.mismatch}")
        spent = power(netlist, library, timing, seen.activity, _MHZ, clock_slew_ns=slew)
        energy = 1e3 * (spent.total_mw + spent.input_nets_mw) / _MHZ * seen.cycles / seen.macs
        return _Figures(timing.critical_ns, netlist.area_um2(library), energy)

    start = time.process_time()
    fastest = repair(plain, library, around)
    cpu_s = time.process_time() - start
    before, after = figures(sized), figures(fastest)
    same = figures(repair(plain, library, around, before.critical_ns))
    cells = [label + (", kept apart" if hierarchical else ""), f"{fastest.cells:,}"]
    cells += [f"{before.critical_ns:.3f}", f"{after.critical_ns:.3f}", f"{before.area_um2:,.0f}"]
    cells += [f"{same.area_um2:,.0f}", f"{after.area_um2:,.0f}", f"{before.pj:.3g}", f"{same.pj:.3g}"]
    return f"| {' | '.join([*cells, f'{after.pj:.3g}', f'{cpu_s:.2f}'])} |"


def main(labels: Sequence[str]) -> None:
    """Print the table."""
    row("MAC INT8, Booth", hierarchical=False)  # kernels are compiled and the library is read
    sys.stdout.write("| design | cells | ns, mapper | ns, repair | um2, mapper | same clock | fastest | ")
    sys.stdout.write("pJ/MAC, mapper | same clock | fastest | CPU s |\n|---" + "|--:" * 10 + "|\n")
    for label in labels or DESIGNS:
        for hierarchical in DESIGNS[label][2]:
            sys.stdout.write(f"{row(label, hierarchical=hierarchical)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
