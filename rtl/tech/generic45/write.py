"""The library as Liberty text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.rtl.tech.generic45.cells import combinational
from archgym.rtl.tech.generic45.flops import CONSTRAINT_SLEWS_NS, FlopPlan, flops, tables
from archgym.rtl.tech.generic45.geometry import N_UM, P_UM, area_um2, signal_ff
from archgym.rtl.tech.generic45.leakage import by_state
from archgym.rtl.tech.generic45.process import LAYOUT, NMOS, PMOS, TEMPERATURE_C, VDD_V, WIRE_FF
from archgym.rtl.tech.generic45.stage import HIGH, LOW
from archgym.rtl.tech.generic45.timing import LOADS_FF, SLEWS_NS, Hidden, Measured, hidden, measure, minterm
from archgym.rtl.tech.generic45.topology import CellPlan
from archgym.rtl.tech.generic45.wires import PER_SINK_FF, average_gate_pitches

__all__ = ["liberty"]

Floats = NDArray[np.float64]
_TIES = (("TIEHI_X1", "1"), ("TIELO_X1", "0"))


def liberty() -> str:
    """The whole library; the same text at every call."""
    cells = [_combinational(plan) for plan in combinational()]
    cells += [_flop(flop) for flop in flops()]
    cells += [_tie(name, value) for name, value in _TIES]
    return _header() + "\n".join(cells) + "}\n"


def _header() -> str:
    percent = f"{LOW * 100:g}", f"{HIGH * 100:g}"
    thresholds = "".join(
        f"  {side}_threshold_pct_{edge} : {value};\n"
        for side, value in (("input", "50"), ("output", "50"), ("slew_lower", percent[0]), ("slew_upper", percent[1]))
        for edge in ("rise", "fall")
    )
    pitches = average_gate_pitches()
    lengths = "".join(f"    fanout_length ({count}, {count});\n" for count in (1, 2, 4, 8, 16))
    return f"""/*
 * generic45: standard cells of a generic planar 45 nm technology. Made by: python -m archgym.rtl.tech.generic45
 *
 * Derived, not measured: static CMOS stages of n and p transistors {N_UM:g} and {P_UM:g} um wide, cells
 * {LAYOUT.height:g} um high, gate pitch {LAYOUT.pitch:g} um. The sources of every figure are in
 * archgym/rtl/tech/generic45/*.py; comparisons with libraries of real processes are in archgym/rtl/VALIDATION.md.
 * Licence: Apache-2.0, as ArchGym.
 */
library (generic45) {{
  delay_model : table_lookup;
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1uA";
  leakage_power_unit : "1nW";
  pulling_resistance_unit : "1kohm";
  capacitive_load_unit (1, ff);
{thresholds}  slew_derate_from_library : 1.0;
  nom_process : 1.0;
  nom_voltage : {VDD_V:g};
  nom_temperature : {TEMPERATURE_C:g};
  operating_conditions (typical) {{
    process : 1.0;
    voltage : {VDD_V:g};
    temperature : {TEMPERATURE_C:g};
  }}
  default_operating_conditions : typical;
  default_max_transition : {SLEWS_NS[-1]:g};
  default_fanout_load : 1.0;
  default_cell_leakage_power : 0.0;
  default_input_pin_cap : 0.0;
  default_output_pin_cap : 0.0;
  default_inout_pin_cap : 0.0;
  /* {WIRE_FF:g} fF/um; {pitches:.3f} gate pitches per connection: see wires.py */
  wire_load (local) {{
    resistance : 0.0;
    capacitance : {PER_SINK_FF:.4f};
    area : 0.0;
    slope : 1.0;
{lengths}  }}
  default_wire_load : local;
  default_wire_load_mode : top;
  lu_table_template (delay) {{
    variable_1 : input_net_transition;
    variable_2 : total_output_net_capacitance;
    index_1 ("{_numbers(SLEWS_NS)}");
    index_2 ("{_numbers(LOADS_FF)}");
  }}
  lu_table_template (constraint) {{
    variable_1 : related_pin_transition;
    variable_2 : constrained_pin_transition;
    index_1 ("{_numbers(CONSTRAINT_SLEWS_NS)}");
    index_2 ("{_numbers(CONSTRAINT_SLEWS_NS)}");
  }}
  power_lut_template (energy) {{
    variable_1 : input_transition_time;
    variable_2 : total_output_net_capacitance;
    index_1 ("{_numbers(SLEWS_NS)}");
    index_2 ("{_numbers(LOADS_FF)}");
  }}
  power_lut_template (hidden) {{
    variable_1 : input_transition_time;
    index_1 ("{_numbers(SLEWS_NS)}");
  }}
"""


def _numbers(values: Iterable[float]) -> str:
    # Five digits: far below the model's error, far above the last bits in which platforms' libraries differ.
    return ", ".join(f"{float(value) + 0.0:.5g}" for value in values)


def _table(kind: str, template: str, values: Floats, loads: Floats | None = None) -> str:
    rows = ", \\\n          ".join(f'"{_numbers(row)}"' for row in np.atleast_2d(values))
    index = f'        index_2 ("{_numbers(loads)}");\n' if loads is not None else ""
    return f"      {kind} ({template}) {{\n{index}        values ({rows});\n      }}\n"


def _pin(name: str, lines: Sequence[str], groups: Sequence[str] = ()) -> str:
    body = "".join(f"    {line};\n" for line in lines)
    return f"  pin ({name}) {{\n{body}{''.join(groups)}  }}\n"


def _cell(name: str, area: float, leakage: float, lines: str, pins: Sequence[str]) -> str:
    return f"cell ({name}) {{\n  area : {area:.4f};\n  cell_leakage_power : {leakage:.5g};\n{lines}{''.join(pins)}}}\n"


def _drive(name: str) -> int:
    return int(name.rsplit("X", 1)[1])


def _combinational(plan: CellPlan) -> str:
    drive = _drive(plan.name)
    loads = LOADS_FF * drive
    arcs, quiet = measure(plan, loads), hidden(plan)
    pins = []
    for pin in plan.inputs:
        groups = [_hidden(quiet[pin])] if pin in quiet else []
        pins.append(_pin(pin, ["direction : input", f"capacitance : {signal_ff(plan, pin):.4f}"], groups))
    for output, function in plan.outputs.items():
        mine = {key: arc for key, arc in arcs.items() if key[1] == output}
        groups = [_timing(key, arc, loads, mine) for key, arc in mine.items()]
        groups += [_energy(pin, mine, loads) for pin in plan.inputs]
        lines = ["direction : output", f'function : "{function}"', f"max_capacitance : {loads[-1]:g}"]
        pins.append(_pin(output, lines, groups))
    states = by_state(plan)
    leakage = "".join(
        f'  leakage_power () {{ when : "{minterm(dict(zip(plan.inputs, bits, strict=True)))}"; value : {nw:.5g}; }}\n'
        for bits, nw in states.items()
    )
    return _cell(plan.name, area_um2(plan), float(np.mean(list(states.values()))), leakage, pins)


def _timing(
    key: tuple[str, str, bool], arc: Measured, loads: Floats, all_arcs: Mapping[tuple[str, str, bool], Measured]
) -> str:
    pin, output, same = key
    lines = [f"related_pin : {pin}", f"timing_sense : {'positive' if same else 'negative'}_unate"]
    if (pin, output, not same) in all_arcs:  # not unate: say which way holds when
        lines.append(f'when : "{"|".join(arc.when)}"')
    body = "".join(f"      {line};\n" for line in lines)
    for rises, edge in ((True, "rise"), (False, "fall")):
        body += _table(f"cell_{edge}", "delay", arc.delay[rises], loads)
        body += _table(f"{edge}_transition", "delay", arc.slew[rises], loads)
    return f"    timing () {{\n{body}    }}\n"


def _energy(pin: str, arcs: Mapping[tuple[str, str, bool], Measured], loads: Floats) -> str:
    """Mean over all vectors in which the pin moves the output."""
    body = f"      related_pin : {pin};\n"
    for rises, edge in ((True, "rise"), (False, "fall")):
        found = [table for key, arc in arcs.items() if key[0] == pin for table in arc.energies[rises]]
        body += _table(f"{edge}_power", "energy", np.mean(found, axis=0), loads)
    return f"    internal_power () {{\n{body}    }}\n"


def _hidden(energy: Hidden) -> str:
    body = f'      when : "{"|".join(energy.when)}";\n'
    for rises, edge in ((True, "rise"), (False, "fall")):
        body += _table(f"{edge}_power", "hidden", np.mean(energy.energies[rises], axis=0))
    return f"    internal_power () {{\n{body}    }}\n"


def _power(related: str, rise: Floats, fall: Floats, template: str, loads: Floats | None = None) -> str:
    body = f"      related_pin : {related};\n" if related else ""
    body += _table("rise_power", template, rise, loads) + _table("fall_power", template, fall, loads)
    return f"    internal_power () {{\n{body}    }}\n"


def _flop(flop: FlopPlan) -> str:
    plan, loads = flop.plan, LOADS_FF * flop.drive
    found = tables(flop, loads)
    pins = [_clock_pin(plan, found.clock), _data_pin(plan, found.setup, found.hold, found.data)]
    if flop.asynchronous:
        capacitance = f"capacitance : {signal_ff(plan, flop.asynchronous):.4f}"
        pins.append(_pin(flop.asynchronous, ["direction : input", capacitance]))
    body = "      related_pin : CK;\n      timing_type : rising_edge;\n      timing_sense : non_unate;\n"
    for rises, edge in ((True, "rise"), (False, "fall")):
        body += _table(f"cell_{edge}", "delay", found.delay[rises], loads)
        body += _table(f"{edge}_transition", "delay", found.slew[rises], loads)
    groups = [f"    timing () {{\n{body}    }}\n"]
    if found.asynchronous is not None:
        groups.append(_asynchronous(flop, found.asynchronous, loads))
    groups.append(_power("CK", found.energy[True], found.energy[False], "energy", loads))
    lines = ["direction : output", 'function : "IQ"', f"max_capacitance : {loads[-1]:g}"]
    pins.append(_pin("Q", lines, groups))
    state = '    clocked_on : "CK";\n    next_state : "D";\n'
    if flop.asynchronous:
        state += f'    {"clear" if flop.asynchronous == "RN" else "preset"} : "!{flop.asynchronous}";\n'
    return _cell(flop.name, area_um2(plan), found.leakage_nw, f"  ff (IQ, IQN) {{\n{state}  }}\n", pins)


def _clock_pin(plan: CellPlan, energy: Mapping[bool, Floats]) -> str:
    lines = ["direction : input", "clock : true", f"capacitance : {signal_ff(plan, 'CK'):.4f}"]
    return _pin("CK", lines, [_power("", energy[True], energy[False], "hidden")])


def _data_pin(
    plan: CellPlan, setup: Mapping[bool, Floats], hold: Mapping[bool, Floats], energy: Mapping[bool, Floats]
) -> str:
    groups = []
    for kind, values in (("setup_rising", setup), ("hold_rising", hold)):
        body = f"      related_pin : CK;\n      timing_type : {kind};\n"
        for rises, edge in ((True, "rise"), (False, "fall")):
            body += _table(f"{edge}_constraint", "constraint", values[rises])
        groups.append(f"    timing () {{\n{body}    }}\n")
    groups.append(_power("", energy[True], energy[False], "hidden"))
    return _pin("D", ["direction : input", f"capacitance : {signal_ff(plan, 'D'):.4f}"], groups)


def _asynchronous(flop: FlopPlan, found: tuple[Floats, Floats, Floats], loads: Floats) -> str:
    clears = flop.asynchronous == "RN"
    edge, sense = ("fall", "positive") if clears else ("rise", "negative")
    body = f"      related_pin : {flop.asynchronous};\n      timing_type : {'clear' if clears else 'preset'};\n"
    body += f"      timing_sense : {sense}_unate;\n"
    body += _table(f"cell_{edge}", "delay", found[0], loads) + _table(f"{edge}_transition", "delay", found[1], loads)
    return f"    timing () {{\n{body}    }}\n"


def _tie(name: str, value: str) -> str:
    area = 2 * LAYOUT.pitch * LAYOUT.height
    # One transistor off between the rail and the output, one on whose gate is at the other rail.
    off, tall = (NMOS, N_UM) if value == "1" else (PMOS, P_UM)
    on = PMOS.gate_on_na * P_UM if value == "1" else NMOS.gate_on_na * N_UM
    leakage = VDD_V * (off.off_na * tall + on)
    lines = ["direction : output", f'function : "{value}"', f"max_capacitance : {LOADS_FF[-1]:g}"]
    return _cell(name, area, leakage, "", [_pin("Y", lines)])
