"""A Liberty library whose every table is a + b * slew (ns) + c * load (fF): times can be worked out by hand."""

from __future__ import annotations

import json

from archgym.rtl.tech.liberty import read_liberty

SLEWS, LOADS = (0.01, 0.1), (1.0, 10.0)

CAPS = {"INV": 1.0, "BUF": 0.9, "NAND2": 1.5, "XOR2": 2.0, "AND2": 1.2, "DFF": 0.8}
"""fF of each input pin at a rising edge; 0.1 fF more at a falling one."""

# cell: (sense, function, inputs), then by edge of the output (delay a, b, c), (slew a, b, c)
GATES = {
    "INV": ("negative_unate", "!A", "A"),
    "BUF": ("positive_unate", "A", "A"),
    "NAND2": ("negative_unate", "!(A&B)", "AB"),
    "XOR2": ("non_unate", "A^B", "AB"),
    "AND2": ("positive_unate", "A&B", "AB"),
}
MODEL = {
    "INV": {"rise": ((0.010, 0.20, 0.004), (0.012, 0.10, 0.006)), "fall": ((0.008, 0.15, 0.003), (0.010, 0.08, 0.005))},
    "BUF": {"rise": ((0.016, 0.12, 0.003), (0.011, 0.06, 0.004)), "fall": ((0.017, 0.14, 0.002), (0.012, 0.05, 0.003))},
    "NAND2": {
        "rise": ((0.014, 0.22, 0.005), (0.015, 0.12, 0.007)),
        "fall": ((0.012, 0.25, 0.006), (0.016, 0.1, 0.008)),
    },
    "XOR2": {"rise": ((0.025, 0.30, 0.006), (0.025, 0.15, 0.009)), "fall": ((0.028, 0.25, 0.005), (0.02, 0.12, 0.007))},
    "AND2": {
        "rise": ((0.020, 0.18, 0.003), (0.014, 0.05, 0.004)),
        "fall": ((0.022, 0.20, 0.003), (0.013, 0.06, 0.003)),
    },
    "DFF": {"rise": ((0.060, 0.40, 0.005), (0.020, 0.05, 0.006)), "fall": ((0.055, 0.45, 0.004), (0.018, 0.05, 0.005))},
}
SETUP = {"rise": (0.030, -0.10, 0.20), "fall": (0.040, -0.05, 0.30)}
"""a + b * clock slew + c * data slew, ns."""
HOLD = {"rise": (0.005, 0.10, -0.10), "fall": (0.004, 0.08, -0.20)}
SECOND_PIN_NS = 0.001
"""What pin B takes longer than pin A."""


def linear(model, first, second):
    """The plane itself, inside and outside of the table."""
    return model[0] + model[1] * first + model[2] * second


def _table(name, template, model, firsts, seconds, extra=0.0):
    rows = ", ".join('"' + ", ".join(f"{linear(model, x, y) + extra:.9f}" for y in seconds) + '"' for x in firsts)
    return f"{name} ({template}) {{ values ({rows}); }}"


def _delays(cell, extra=0.0):
    parts = []
    for edge, (delay, slew) in MODEL[cell].items():
        parts.append(_table(f"cell_{edge}", "gate", delay, SLEWS, LOADS, extra))
        parts.append(_table(f"{edge}_transition", "gate", slew, SLEWS, LOADS))
    return "\n".join(parts)


def _input(cell, pin, more=""):
    cap = CAPS[cell]
    return (
        f"pin({pin}) {{ direction : input; capacitance : {cap}; rise_capacitance : {cap}; "
        f"fall_capacitance : {cap + 0.1}; {more} }}"
    )


def _gate(cell):
    sense, function, pins = GATES[cell]
    arcs = "\n".join(
        f'timing() {{ related_pin : "{pin}"; timing_sense : {sense}; {_delays(cell, number * SECOND_PIN_NS)} }}'
        for number, pin in enumerate(pins)
    )
    inputs = "\n".join(_input(cell, pin) for pin in pins)
    return f'cell({cell}) {{ area : 1; {inputs} pin(Y) {{ direction : output; function : "{function}"; {arcs} }} }}'


def _flop(name, clocked_on, edge):
    checks = "\n".join(
        f'timing() {{ related_pin : "CK"; timing_type : {kind}_{edge}; '
        + "\n".join(_table(f"{e}_constraint", "check", model, SLEWS, SLEWS) for e, model in models.items())
        + "}"
        for kind, models in (("setup", SETUP), ("hold", HOLD))
    )
    return f"""cell({name}) {{ area : 4;
    ff(IQ, IQN) {{ clocked_on : "{clocked_on}"; next_state : "D"; }}
    {_input("DFF", "D", checks)} {_input("DFF", "CK", "clock : true;")}
    pin(Q) {{ direction : output; function : "IQ";
      timing() {{ related_pin : "CK"; timing_type : {edge}_edge; timing_sense : non_unate; {_delays("DFF")} }} }} }}"""


HEAD = f"""library(linear) {{
  delay_model : table_lookup; time_unit : "1ns"; voltage_unit : "1V"; current_unit : "1mA";
  pulling_resistance_unit : "1kohm"; leakage_power_unit : "1nW"; capacitive_load_unit (1, ff);
  nom_voltage : 1.0; nom_temperature : 25; nom_process : 1;
  input_threshold_pct_rise : 50; input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50; output_threshold_pct_fall : 50;
  slew_lower_threshold_pct_rise : 20; slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_rise : 80; slew_upper_threshold_pct_fall : 80;
  lu_table_template(gate) {{ variable_1 : input_net_transition; variable_2 : total_output_net_capacitance;
    index_1 ("{SLEWS[0]}, {SLEWS[1]}"); index_2 ("{LOADS[0]}, {LOADS[1]}"); }}
  lu_table_template(check) {{ variable_1 : related_pin_transition; variable_2 : constrained_pin_transition;
    index_1 ("{SLEWS[0]}, {SLEWS[1]}"); index_2 ("{SLEWS[0]}, {SLEWS[1]}"); }}
"""
TIES = """cell(TIE1) { area : 1; pin(Y) { direction : output; function : "1"; } }
cell(LATCH) { area : 1; latch(IQ, IQN) { data_in : "D"; enable : "G"; }
  pin(D) { direction : input; capacitance : 1; } pin(G) { direction : input; capacitance : 1; }
  pin(Q) { direction : output; function : "IQ"; } }
"""
WIRES = """wire_load("w") { resistance : 0.001; capacitance : 2.0; area : 0; slope : 3;
    fanout_length(1, 1.0); fanout_length(3, 2.0); }
  default_wire_load : "w";
"""


def library(folder, *, wires=False):
    """Write the library and read it."""
    path = folder / "linear.lib"
    cells = [*map(_gate, GATES), _flop("DFF", "CK", "rising"), _flop("DFFN", "!CK", "falling"), TIES]
    path.write_text(HEAD + (WIRES if wires else "") + "\n".join(cells) + "}\n")
    return read_liberty(path)


def netlist_json(cells, *, inputs, outputs, nets=None):
    """A module `top` in Yosys's format; ports are single bits given by net number, or lists of them."""

    def bits(value):
        return value if isinstance(value, list) else [value]

    ports = {name: {"direction": "input", "bits": bits(net)} for name, net in inputs.items()}
    ports |= {name: {"direction": "output", "bits": bits(net)} for name, net in outputs.items()}
    module = {
        "attributes": {"top": "1"},
        "ports": ports,
        "cells": {
            name: {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}}
            for name, (kind, pins) in cells.items()
        },
        "netnames": {name: {"hide_name": 0, "bits": port["bits"]} for name, port in ports.items()}
        | {name: {"hide_name": 0, "bits": bits(net)} for name, net in (nets or {}).items()},
    }
    return json.dumps({"modules": {"top": module}})
