"""Formal proofs with Yosys: that a netlist does what its RTL says, that a combinational property always holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from archgym.core import FAILED, OK
from archgym.rtl.flow import scratch
from archgym.rtl.flow.design import Design
from archgym.rtl.flow.limits import Limits
from archgym.rtl.flow.models import cell_models
from archgym.rtl.flow.script import elaborate
from archgym.rtl.flow.worker import worker
from archgym.rtl.tech.library_cells import Library

__all__ = ["Proof", "equivalent", "prove"]

_STEPS = 4  # of the induction over states


@final
@dataclass(frozen=True)
class Proof:
    """How a proof ended."""

    status: str
    """"ok" where proved, "failed" where refuted or undecided, "timeout"."""
    reason: str = ""
    cpu_s: float = 0.0


def equivalent(design: Design, netlist: str, library: Library, limits: Limits | None = None) -> Proof:
    """Prove that a mapped netlist and its RTL have the same outputs for all inputs and states.

    Registers and ports are paired by name, what lies between is proved cone by cone (Yosys `equiv_make`,
    `equiv_simple`, `equiv_induct`): the proof holds for runs of any length. Products of more than about 6 bits are
    beyond SAT solvers; simulate those exhaustively (`gatesim_check.exhaustive`).

    Args:
        design: the RTL.
        netlist: what `synthesise` gave.
        library: the cells' functions.
        limits: when to give up.
    """
    # Asynchronous resets become synchronous ones on both sides: the solver sees states between clock edges only.
    commands = [
        *(
            "proc",
            "flatten",
            "memory",
            "async2sync",
            "techmap",
            "opt -fast",
            "opt_clean -purge",
            f"rename {design.top} gold",
        ),
        "design -stash gold",
        *("read_verilog -lib -overwrite cells.v", "read_json gate.json", "read_verilog -overwrite cells.v"),
        *(f"hierarchy -top {design.top}", "proc", "flatten", "async2sync", "techmap", "opt -fast", "opt_clean -purge"),
        f"rename {design.top} gate",
        "design -stash gate",
        *("design -copy-from gold -as gold gold", "design -copy-from gate -as gate gate"),
        *("equiv_make gold gate equiv", "hierarchy -top equiv", "equiv_simple -short"),
        *(f"equiv_simple -seq {_STEPS}", f"equiv_induct -seq {_STEPS}", "equiv_status -assert"),
    ]
    return _run(design, commands, {"gate.json": netlist, "cells.v": cell_models(library)}, limits, _differs(design.top))


def prove(design: Design, outputs: Mapping[str, int], limits: Limits | None = None) -> Proof:
    """Prove that outputs of a combinational design always have these values, by SAT.

    Args:
        design: the RTL.
        outputs: values by port: 1 of a port that says whether a property holds.
        limits: when to give up.
    """
    goals = [f"-prove {name} {value}" for name, value in outputs.items()]
    commands = [
        *("proc", "flatten", "opt -full", "techmap", "opt -fast"),
        f"sat -verify -show-inputs {' '.join(goals)} {design.top}",
    ]
    return _run(
        design, commands, {}, limits, f"{design.top}: there are inputs for which {_said(outputs)} does not hold"
    )


def _said(outputs: Mapping[str, int]) -> str:
    return " and ".join(f"{name} = {value}" for name, value in outputs.items())


def _differs(top: str) -> str:
    return f"the netlist of {top} differs from its RTL, or that could not be decided"


def _run(
    design: Design, commands: Sequence[str], files: Mapping[str, str], limits: Limits | None, refuted: str
) -> Proof:
    with scratch.folder() as folder, worker() as process:
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        outcome = process.run([*elaborate(design.linked(folder)), *commands], folder, limits or Limits())
        log = _text(folder / "log.txt")
    if outcome.status == FAILED and any(words in outcome.reason for words in _REFUSALS):
        return Proof(FAILED, f"{refuted}{_found(log)}", outcome.cpu_s)
    return Proof(outcome.status, "" if outcome.status == OK else outcome.reason, outcome.cpu_s)


_UNPROVEN = re.compile(r"Unproven \$equiv \S+ \\?(\S+)_gold( \[\d+\])?")
_REFUSALS = ("unproven $equiv cells", "proof did fail")


def _found(log: str) -> str:
    """Signals that could not be proved, or the inputs of a counterexample."""
    signals = [name + bit.replace(" ", "") for name, bit in _UNPROVEN.findall(log)]
    if signals:
        return f": {', '.join(dict.fromkeys(signals[:4]))}"
    rows = [line.split() for line in log.splitlines() if line.startswith("  \\")]
    values = [f"{row[0].lstrip(chr(92))} = {row[1]}" for row in rows if len(row) > 1]
    return f": {', '.join(values[:8])}" if values else ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
