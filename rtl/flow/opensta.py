"""OpenSTA on the same netlist, library and constraints, where it is installed: to compare with, never needed.

Debian: apt install opensta (tried with 2.0.17).
"""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

from archgym.errors import InvalidInput
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.timing import GROUPS, Constraints
from archgym.rtl.flow.verilog_out import write_verilog

if TYPE_CHECKING:
    from archgym.rtl.tech.liberty import Library

__all__ = ["StaPaths", "installed", "path_commands", "run", "setup_script", "worst_path"]

_WIRE_RESISTANCE = re.compile(r"(\bwire_load\s*\([^)]*\)\s*\{[^{}]*?\bresistance\s*:\s*)[^;]+;")
_SECONDS = 600  # far above what a million cells take

_STARTS = {"reg": "[all_registers -clock_pins]", "in": "$data_inputs"}
_ENDS = {"reg": "[all_registers -data_pins]", "out": "[all_outputs]"}


@final
@dataclass(frozen=True)
class StaPaths:
    """What OpenSTA found."""

    critical_ns: float
    """Period minus worst slack."""
    groups: dict[str, float]
    """By group of paths, see `timing.GROUPS`."""
    hold_ns: float | None
    """Worst hold slack at a flip-flop, from registers and inputs."""
    report: str


def installed() -> bool:
    """Whether `sta` is on PATH."""
    return shutil.which("sta") is not None


def run(netlist: Netlist, library: Library, commands: str, *, wire_resistance: bool = False) -> str:
    """Read the library and the netlist, then run Tcl commands; returns what OpenSTA prints.

    Args:
        netlist: of cells of `library`.
        library: read from files.
        commands: Tcl.
        wire_resistance: keep the resistance of wire-load models. Without it, OpenSTA looks gates up at the whole
            capacitance, as `timing.analyse` does; with it, it fits a waveform to a pi model of each net.

    Raises:
        InvalidInput: it is not installed, it stops with an error, or the library was not read from files.
    """
    if not installed():
        raise InvalidInput("comparison needs OpenSTA's `sta` on PATH; on Debian: apt install opensta")
    if not library.sources:
        raise InvalidInput(f"library {library.name} has no source files for OpenSTA to read; use read_liberty")
    with tempfile.TemporaryDirectory(prefix="archgym-sta-") as folder:
        (Path(folder) / "netlist.v").write_text(write_verilog(netlist), encoding="utf-8")
        resistance = wire_resistance or library.default_wire_load is None
        files = [
            path.resolve() if resistance and path.suffix != ".gz" else _copied(path, Path(folder) / name, resistance)
            for path, name in ((path, f"{number}.lib") for number, path in enumerate(library.sources))
        ]
        script = [f"read_liberty {{{path}}}" for path in files]
        script += [f"read_verilog netlist.v\nlink_design {{{netlist.name}}}", commands, "exit"]
        (Path(folder) / "run.tcl").write_text("\n".join(script), encoding="utf-8")
        done = subprocess.run(
            ["sta", "-no_splash", "-exit", "run.tcl"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,  # its own message is raised below
            stdin=subprocess.DEVNULL,
        )
    errors = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
    if done.returncode or errors:
        raise InvalidInput(f"OpenSTA stopped with status {done.returncode}: {(errors or [done.stderr.strip()])[0]}")
    return done.stdout


def _copied(path: Path, copy: Path, resistance: bool) -> Path:
    """Copy a library uncompressed, as old versions need it; without, the resistance of its wire-load models is 0."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8", errors="replace")
    copy.write_text(text if resistance else _WIRE_RESISTANCE.sub(r"\g<1>0;", text), encoding="utf-8")
    return copy


def setup_script(netlist: Netlist, constraints: Constraints) -> str:
    """The constraints in SDC, units ns and fF."""
    clocked = constraints.clock in netlist.inputs
    port = f" [get_ports {{{constraints.clock}}}]" if clocked else ""
    data = _data_inputs(netlist, constraints)
    return "\n".join(
        [
            "set_cmd_units -time ns -capacitance fF",
            f"create_clock -name clock -period {constraints.clock_ns}{port}",
            *([f"set_clock_transition {constraints.clock_slew_ns} [get_clocks clock]"] if clocked else []),
            *(
                [
                    f"set data_inputs [get_ports [list {data}]]",
                    f"set_input_delay {constraints.input_delay_ns} -clock clock $data_inputs",
                    f"set_input_transition {constraints.input_slew_ns} $data_inputs",
                ]
                if data
                else []
            ),
            f"set_output_delay {constraints.output_delay_ns} -clock clock [all_outputs]",
            f"set_load {constraints.output_load_ff} [all_outputs]",
        ]
    )


def _data_inputs(netlist: Netlist, constraints: Constraints) -> str:
    """Input ports other than the clock, as elements of a Tcl list."""
    names = [name for name in netlist.inputs if name != constraints.clock]
    return " ".join(f"{{{name}}}" if len(netlist.inputs[name]) == 1 else f"{{{name}[*]}}" for name in names)


def path_commands(netlist: Netlist, constraints: Constraints) -> str:
    """Constraints, then a report of the worst path of each group (after "@" and its name), of hold, and of all."""
    lines = [setup_script(netlist, constraints)]
    clocked = bool(len(netlist.sequential))
    report = "report_checks -digits 6 -fields {slew capacitance}"
    for group in GROUPS if clocked else ("in2out",):
        start, end = group.split("2")
        if start == "in" and not _data_inputs(netlist, constraints):
            continue
        lines += [f'puts "@{group}"', f"{report} -path_delay max -from {_STARTS[start]} -to {_ENDS[end]}"]
    if clocked:
        lines += ['puts "@hold"', f"{report} -path_delay min -to {_ENDS['reg']}"]
    return "\n".join([*lines, 'puts "@all"', f"{report} -path_delay max"])


def worst_path(
    netlist: Netlist, library: Library, constraints: Constraints, *, wire_resistance: bool = False
) -> StaPaths:
    """OpenSTA's worst paths under the same constraints.

    Args:
        netlist: of cells of `library`.
        library: read from files.
        constraints: period, slews, loads and delays at the ports.
        wire_resistance: see `run`.

    Raises:
        InvalidInput: see `run`.
    """
    texts = run(netlist, library, path_commands(netlist, constraints), wire_resistance=wire_resistance).split("\n@")
    slacks = {}
    for text in texts:
        found = re.search(r"(-?\d+\.\d+)\s+slack", text)
        if found:
            slacks[text.split("\n", 1)[0].removeprefix("@")] = float(found[1])
    groups = {group: constraints.clock_ns - slacks[group] for group in GROUPS if group in slacks}
    critical = constraints.clock_ns - slacks["all"] if "all" in slacks else 0.0
    return StaPaths(critical, groups, slacks.get("hold"), texts[-1])
