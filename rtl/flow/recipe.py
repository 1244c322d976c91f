"""How RTL becomes gates: the scripts of Yosys and ABC, and the ways that are tried.

What differs between recipes is what tools for timing closure choose by themselves: the architecture of adders, where
the library's full adders are used, and how much area the mapper pays for speed. VALIDATION.md ("Synthesis recipes")
has the areas and delays that they were chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

from archgym.errors import UnknownName

__all__ = ["BALANCED", "CELLS", "DENSE", "EFFORTS", "FAST", "STEEP", "VERSION", "Recipe", "abc_script", "recipes"]

VERSION = 4
"""Counts up whenever a netlist can change: cached results of other versions are not used."""

Adder: TypeAlias = Literal["ripple", "brent-kung", "sklansky"]
FullAdders: TypeAlias = Literal["extract", "all"]


@final
@dataclass(frozen=True)
class Recipe:
    """One way to gates."""

    name: str
    adder: Adder
    """Of additions and subtractions."""
    full_adders: FullAdders
    """Cells "all": in the compressors that Yosys builds for products, too; "extract": where logic computes sum and
    majority of three signals. Without effect if the library has no full adder."""
    goal: Literal["area", "speed"]
    """Of the cover: area recovered off the critical path, or delay alone."""
    doc: str = ""


DENSE = Recipe(
    "dense", "ripple", "extract", "area", "ripple-carry adders: the smallest, for targets that leave the time"
)
BALANCED = Recipe("balanced", "brent-kung", "extract", "area", "Brent-Kung adders: most of the speed for little area")
CELLS = Recipe("cells", "brent-kung", "all", "area", "full-adder cells in every compressor")
FAST = Recipe("fast", "brent-kung", "all", "speed", "delay-optimal cover")
STEEP = Recipe("steep", "sklansky", "extract", "speed", "minimum-depth adders")

EFFORTS = {
    "quick": (BALANCED,),
    "normal": (DENSE, BALANCED, STEEP),
    "high": (DENSE, BALANCED, STEEP, FAST, CELLS, Recipe("tall", "sklansky", "all", "area", "minimum-depth adders")),
}
"""Recipes that are tried for a point, by how much time may be spent."""


def recipes(effort: str, *, full_adders: bool) -> tuple[Recipe, ...]:
    """The recipes of an effort that differ with or without full-adder cells in the library.

    Raises:
        UnknownName: no such effort.
    """
    if effort not in EFFORTS:
        raise UnknownName("effort", effort, EFFORTS)
    if full_adders:
        return EFFORTS[effort]
    different: dict[tuple[Adder, str], Recipe] = {}
    for each in EFFORTS[effort]:
        different.setdefault((each.adder, each.goal), each)
    return tuple(different.values())


RIPPLE_FILE, CELL_FILE = "ripple.v", "full_adder.v"

_ADDER_MAPS: dict[Adder, tuple[str, ...]] = {
    "ripple": (RIPPLE_FILE,),
    "brent-kung": (),  # what Yosys does by itself (techlibs/common/techmap.v, _90_lcu_brent_kung)
    "sklansky": ("+/choices/sklansky.v",),
}

RIPPLE = r"""
(* techmap_celltype = "$alu" *)
module _80_alu_ripple (A, B, CI, BI, X, Y, CO);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  (* force_downto *) input [A_WIDTH-1:0] A;
  (* force_downto *) input [B_WIDTH-1:0] B;
  input CI, BI;
  (* force_downto *) output [Y_WIDTH-1:0] X, Y, CO;
  (* force_downto *) wire [Y_WIDTH-1:0] AA, B_buf;
  \$pos #(.A_SIGNED(A_SIGNED), .A_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH)) A_conv (.A(A), .Y(AA));
  \$pos #(.A_SIGNED(B_SIGNED), .A_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)) B_conv (.A(B), .Y(B_buf));
  (* force_downto *) wire [Y_WIDTH-1:0] BB = BI ? ~B_buf : B_buf;
  (* force_downto *) wire [Y_WIDTH:0] C = {CO, CI};
  \$fa #(.WIDTH(Y_WIDTH)) row (.A(AA), .B(BB), .C(C[Y_WIDTH-1:0]), .X(CO), .Y(Y));
  assign X = AA ^ BB;
endmodule
"""
"""$alu (the interface is that of techlibs/common/techmap.v, _90_alu) as a chain of full adders."""


def generic(adder: Adder, full_adders: FullAdders, *, cells: bool) -> list[str]:
    """Yosys commands from an elaborated design to gates of no technology and, with `cells`, full-adder cells.

    Multiplications become radix-4 Booth trees, as commercial tools choose for signed operands of these widths.
    """
    maps = [*_ADDER_MAPS[adder], *([CELL_FILE] if cells and full_adders == "all" else [])]
    found = ["synth -flatten -noabc -booth" + "".join(f" -extra-map {path}" for path in maps)]
    if cells:
        found += ["extract_fa -fa", f"techmap -map {CELL_FILE}", "techmap", "opt -fast"]
    return found


def abc_script(recipe: Recipe, delay_ps: float | None) -> str:
    """ABC commands that map to a library; with a delay they also buffer and size for it.

    `&dch` keeps structural choices (Chatterjee et al., ICCAD 2005), `&nf` covers for delay with area recovery, `map
    -B 0.9` for delay alone. Yosys's own script starts with `scorr; dc2`, which undoes the adders' structure.
    """
    found = ["&get -n", "&st", "&dch", "&nf", "&put"]
    if recipe.goal == "speed":
        found = ["strash", "ifraig", "dch", "map -B 0.9 -D 1"]
    found.append("topo")
    if delay_ps is not None:
        found += ["buffer -c", "topo", f"upsize -D {delay_ps:.0f}", f"dnsize -D {delay_ps:.0f}"]
    return "\n".join([*found, "stime -p", ""])
