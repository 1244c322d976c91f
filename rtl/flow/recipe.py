"""How RTL becomes gates: the scripts of Yosys and ABC, and the ways that are tried.

What differs between recipes is what tools for timing closure choose by themselves: the adder architecture and how much
area the mapper pays for speed. VALIDATION.md ("Synthesis recipes") has the areas and delays that they were chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

__all__ = ["BALANCED", "DENSE", "FAST", "RECIPES", "VERSION", "Adder", "Recipe", "abc_script", "generic"]

VERSION = 1
"""Counts up whenever a netlist can change: cached results of other versions are not used."""

Adder: TypeAlias = Literal["ripple", "brent-kung", "sklansky", "kogge-stone"]

_ADDER_MAPS = {
    "ripple": "ripple.v",
    "brent-kung": "",  # what Yosys does by itself (techlibs/common/techmap.v, _90_lcu_brent_kung)
    "sklansky": "+/choices/sklansky.v",
    "kogge-stone": "+/choices/kogge-stone.v",
}

RIPPLE = """\
(* techmap_celltype = "$lcu" *)
module _80_lcu_ripple (P, G, CI, CO);
  parameter WIDTH = 2;
  (* force_downto *) input [WIDTH-1:0] P, G;
  input CI;
  (* force_downto *) output [WIDTH-1:0] CO;
  genvar i;
  assign CO[0] = G[0] | (P[0] & CI);
  generate
    for (i = 1; i < WIDTH; i = i + 1) assign CO[i] = G[i] | (P[i] & CO[i-1]);
  endgenerate
endmodule
"""
"""Carry look-ahead units as a chain: the smallest adder, for targets that leave the time."""


@final
@dataclass(frozen=True)
class Recipe:
    """One way to gates: architecture of adders, and the mapper's goal."""

    name: str
    adder: Adder
    goal: Literal["area", "speed"]
    doc: str = ""


DENSE = Recipe("dense", "ripple", "area", "ripple-carry adders: the smallest")
BALANCED = Recipe("balanced", "brent-kung", "area", "Brent-Kung adders: most of the speed for little area")
FAST = Recipe("fast", "sklansky", "speed", "Sklansky adders, delay-optimal cover")
RECIPES = {recipe.name: recipe for recipe in (DENSE, BALANCED, FAST)}


def generic(adder: Adder) -> list[str]:
    """Yosys commands from an elaborated design to gates of no technology, registers included.

    Multiplications become radix-4 Booth trees, as commercial tools choose for signed operands of these widths.
    """
    path = _ADDER_MAPS[adder]
    extra = f" -extra-map {path}" if path else ""
    return [f"synth -flatten -noabc -booth{extra}"]


def abc_script(recipe: Recipe) -> str:
    """ABC commands that map to a library, buffer and size; `{D}` is the delay target in ps.

    `&dch` keeps structural choices (Chatterjee et al., ICCAD 2005), `&nf` covers for delay with area recovery, `map
    -B 0.9` for delay alone. Yosys's own script starts with `scorr; dc2`, which undoes the adders' structure.
    """
    cover = ["&get -n", "&st", "&dch", "&nf", "&put"]
    if recipe.goal == "speed":
        cover = ["strash", "ifraig", "dch", "map -B 0.9 -D 1", "topo"]
    return "\n".join([*cover, "buffer -c", "topo", "upsize {D}", "dnsize {D}", "stime -p", ""])
