"""The process behind the embedded technology: what a planar bulk 45 nm CMOS technology does, figure by figure.

No foundry's numbers: the predictive kit FreePDK45 1.4 (Stine et al., "FreePDK: an open-source variation-aware design
kit", MSE 2007; its VTG transistors follow Miyashita et al., IEDM 2007) for design rules and transistors.
Currents and capacitances were simulated with ngspice 39.3 on the VTG model cards (1.1 V, 25 C, L = 50 nm drawn, W = 1
um); VALIDATION.md has the netlists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = [
    "JUNCTION_AREA_FF",
    "JUNCTION_EDGE_FF",
    "JUNCTION_GATE_FF",
    "LAYOUT",
    "NMOS",
    "PMOS",
    "TEMPERATURE_C",
    "THERMAL_V",
    "VDD_V",
    "WIRE_FF",
    "Layout",
    "Transistor",
]

VDD_V = 1.1
"""Nominal supply of the kit; ITRS 2007, table PIDS2, gives 1.0 to 1.1 V for this node."""
TEMPERATURE_C = 25.0
THERMAL_V = 0.025693
"""kT/q at 25 C."""


@final
@dataclass(frozen=True)
class Transistor:
    """Per um of width; voltages as magnitudes.

    The drain current is an alpha-power law (Sakurai and Newton, IEEE JSSC 25(2), 1990) with drain-induced barrier
    lowering, the body effect and a smooth onset; see `stage.current`.
    """

    k_ua: float
    """uA/um at one volt of overdrive, saturated."""
    threshold_v: float
    dibl: float
    """Threshold per volt between drain and source."""
    body: float
    """Threshold per volt between source and body."""
    alpha: float
    saturation_v: float
    """Drain voltage at which the current saturates, gate at the supply."""
    onset: float
    """Width of the onset in thermal voltages."""
    off_na: float
    """Subthreshold current at a drain voltage of VDD_V."""
    off_slope_v: float
    """Volts of gate voltage for a factor e."""
    off_dibl: float
    off_body: float
    gate_on_na: float
    """Tunnelling through the gate, channel inverted, drain and source at the rail."""
    gate_ff: float
    """Gate capacitance averaged over a swing, drain and source held."""
    overlap_ff: float
    """Gate to drain when off: overlap and fringe."""


# Least squares on 2 x 276 points of I(Vg, Vd, Vb = 0 and -0.3 V): 0.9 % (n) and 0.8 % (p) of the on-current, rms.
# Simulated on-current 1158 and 784 uA/um at 1.1 V. Off-current at Vd = 1.1 V and 0.55 V, Vg = 0 and 0.05 V, Vb = 0 and
# -0.5 V; gate capacitance at 0, 0.275, ... 1.1 V.
NMOS = Transistor(
    k_ua=1496.9,
    threshold_v=0.4713,
    dibl=0.1126,
    body=0.2469,
    alpha=0.9798,
    saturation_v=0.4044,
    onset=1.975,
    off_na=13.0,
    off_slope_v=0.0365,
    off_dibl=0.082,
    off_body=0.198,
    gate_on_na=6.6,
    gate_ff=1.349,
    overlap_ff=0.405,
)
PMOS = Transistor(
    k_ua=996.3,
    threshold_v=0.4654,
    dibl=0.1430,
    body=0.2038,
    alpha=1.0938,
    saturation_v=0.4097,
    onset=2.039,
    off_na=13.8,
    off_slope_v=0.0388,
    off_dibl=0.113,
    off_body=0.190,
    gate_on_na=8.7,
    gate_ff=1.365,
    overlap_ff=0.403,
)


@final
@dataclass(frozen=True)
class Layout:
    """Lengths in um; rule names are those of the FreePDK45 1.4 design rule manual."""

    gate: float = 0.050
    """POLY.1: minimum width of poly."""
    gate_space: float = 0.140
    """POLY.2: minimum space between gates over active; a contact fits into it."""
    end_diffusion: float = 0.105
    """Contacted diffusion at the end of a row: to contact 0.035, contact 0.065, enclosure 0.005 (CONTACT.6, .1, .4)."""
    track: float = 0.140
    """METALINT.1 and .2: width and space of the intermediate metal."""
    tracks: int = 10
    """Cell height in tracks, as general-purpose libraries of the node have (9 low power, 12 performance)."""
    poly_extension: float = 0.055
    """POLY.3: poly beyond active."""
    poly_space: float = 0.075
    """POLY.6: space between field poly; half of it at each edge of the cell."""
    poly_landing: float = 0.075
    """A contact (CONTACT.1, 0.065) with its poly enclosure (CONTACT.5, 0.005) on both sides."""
    poly_to_active: float = 0.050
    """POLY.5: space of field poly to active."""

    @property
    def pitch(self) -> float:
        """Contacted gate pitch."""
        return self.gate + self.gate_space

    @property
    def height(self) -> float:
        """Of a cell."""
        return self.tracks * self.track

    @property
    def active(self) -> float:
        """Widths of the n and p transistors together: the height less cell edges and the row of gate contacts."""
        edges = 2 * (self.poly_extension + self.poly_space / 2)
        return self.height - edges - self.poly_landing - 2 * self.poly_to_active


LAYOUT = Layout()
JUNCTION_AREA_FF = 0.41
"""fF/um2, averaged over a swing."""
JUNCTION_EDGE_FF = 0.437
"""fF/um of a diffusion's edge to the isolation."""
JUNCTION_GATE_FF = 0.331
"""fF/um of a diffusion's edge to the gate, without overlap and fringe."""
WIRE_FF = 0.2
"""fF/um, nearly the same at every node: Ho, Mai and Horowitz, "The future of wires", Proc. IEEE 89(4), 2001."""
