"""Designs whose ratios are compared between technologies, and how alike the ratios are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DESIGNS", "PAIRS", "REFERENCE", "Agreement", "agreement", "among", "energy_pj", "kendall", "spearman"]

Floats: TypeAlias = NDArray[np.float64]


def _mac(multiplier: int, carry_save: int, width: int = 8, acc: int = 32) -> tuple[str, dict[str, int]]:
    return "mac_unit", {
        "Width": width, "AccWidth": acc, "Multiplier": multiplier, "CarrySave": carry_save, "Pipeline": 0,
    }  # fmt: skip


def _digits(name: str, columns: int, encoders: int) -> tuple[str, dict[str, int]]:
    return name, {
        "Width": 8, "AccWidth": 32, "Columns": columns, "Encoders": encoders, "Lanes": 4, "Multiplier": 3, "Horner": 0,
        "SkipEmpty": 0,
    }  # fmt: skip


def _array(name: str) -> tuple[str, dict[str, int]]:
    return name, {
        "Rows": 4, "Cols": 4, "Width": 4, "AccWidth": 16, "Multiplier": 1, "CarrySave": 0, "Pipeline": 0,
        "ResultBuffer": 1,
    }  # fmt: skip


def _dot4(serial: int) -> tuple[str, dict[str, int]]:
    return "dp_core", {
        "TileM": 1, "TileN": 1, "TileK": 4, "ActWidth": 8, "WeightWidth": 2, "AccWidth": 24, "Serial": serial,
        "InputRegister": 0,
    }  # fmt: skip


def _float(exp: int, man: int, specials: int = 0) -> dict[str, int]:
    return {"ExpWidth": exp, "ManWidth": man, "Specials": specials}


def _product(exp: int, man: int, specials: int = 0) -> tuple[str, dict[str, int]]:
    result = {"OutExpWidth": exp, "OutManWidth": man, "OutSpecials": specials}
    rules = {"Subnormals": 0, "Round": 0, "Saturate": 0, "Pipeline": 1}
    return "fp_mul", {**_float(exp, man, specials), **result, **rules}


def _l_mul(exp: int, man: int) -> tuple[str, dict[str, int]]:
    own = {"KeptBits": man, "InputRound": 0, "OffsetShift": 4, "Saturate": 0, "Pipeline": 1}
    return "l_mul", {**_float(exp, man), **own}


def _chain(normalise: int) -> tuple[str, dict[str, int]]:
    own = {"SumWidth": 16, "Normalise": normalise, "NormK": 1, "NormLambda": 2, "Subnormals": 0, "Pipeline": 2}
    return "fma_pe", {**_float(8, 7), **own}


_LANES = {"Lanes": 4, "Scale": 0, "Subnormals": 0, "Pipeline": 3}

REFERENCE = "MAC INT8, behavioural"

DESIGNS: Mapping[str, tuple[str, Mapping[str, int]]] = {
    REFERENCE: _mac(0, 0),
    "MAC INT8, Booth": _mac(1, 0),
    "MAC INT8, Booth at the edge": _mac(2, 0),
    "MAC INT8, EN-T at the edge": _mac(3, 0),
    "OPT1 INT8, behavioural": _mac(0, 1),
    "OPT1 INT8, Booth at the edge": _mac(2, 1),
    "MAC INT4, behavioural": _mac(0, 0, 4, 16),
    "MAC INT16, Booth": _mac(1, 0, 16, 48),
    "OPT3, one element": _digits("digit_mac", 1, 1),
    "OPT4C, 4 columns": _digits("opt4c_column", 4, 1),
    "OPT4E, 4 columns": _digits("opt4e_group", 4, 4),
    "systolic INT4 4x4": _array("systolic_os"),
    "2D matrix INT4 4x4": _array("matrix2d"),
    "LUT DP4, W2A8": (
        "lut_core",
        {
            "TileM": 1, "TileN": 1, "TileK": 4, "Group": 4, "ActWidth": 8, "WeightBits": 2, "AccWidth": 24,
            "Symmetric": 1, "OfflineNegation": 1, "Precompute": 0, "Pipeline": 0, "InputRegister": 0,
        },
    ),
    "ADD DP4, W2A8": _dot4(1),
    "MAC DP4, W2A8": _dot4(0),
    "multiplier BF16": _product(8, 7),
    "multiplier FP16": _product(5, 10),
    "multiplier E4M3": _product(4, 3, 1),
    "L-Mul BF16": _l_mul(8, 7),
    "FMA BF16, exact": _chain(2),
    "FMA BF16, an-1-2": _chain(1),
    "MXINT8, 4 lanes": ("int_dot", {"Width": 8, "Merge": 1, **_LANES}),
    "MXFP8, 4 lanes": ("fp_dot", {**_float(4, 3, 1), "AlignWidth": 24, **_LANES}),
}  # fmt: skip
"""Blocks and parameters by what the tables call them."""

PAIRS: Mapping[str, tuple[str, str]] = {
    "OPT1 / MAC, behavioural": ("OPT1 INT8, behavioural", REFERENCE),
    "OPT1 / MAC, Booth at the edge": ("OPT1 INT8, Booth at the edge", "MAC INT8, Booth at the edge"),
    "EN-T at the edge / Booth": ("MAC INT8, EN-T at the edge", "MAC INT8, Booth"),
    "LUT / MAC, DP4": ("LUT DP4, W2A8", "MAC DP4, W2A8"),
    "ADD / MAC, DP4": ("ADD DP4, W2A8", "MAC DP4, W2A8"),
    "L-Mul / multiplier, BF16": ("L-Mul BF16", "multiplier BF16"),
    "approximate / exact normalisation": ("FMA BF16, an-1-2", "FMA BF16, exact"),
    "lane of MXINT8 / MXFP8": ("MXINT8, 4 lanes", "MXFP8, 4 lanes"),
}
"""The ratios that papers claim, by what the tables call them."""


def energy_pj(metrics: Mapping[str, float], details: Mapping[str, float]) -> float:
    """Energy of a multiply-accumulate, or of an input beat where a block has none."""
    found = metrics["energy_per_mac_pj"]
    if np.isfinite(found):
        return found
    return 1e3 * metrics["power_mw"] / metrics["frequency_mhz"] * details["cycles"] / details["beats"]


def _ranks(values: Floats) -> Floats:
    """From 1; equal values share their mean rank."""
    less = (values[None, :] < values[:, None]).sum(axis=1)
    same = (values[None, :] == values[:, None]).sum(axis=1)
    return np.asarray(less + (same + 1) / 2)


def spearman(a: Floats, b: Floats) -> float:
    """Rank correlation: Pearson's of the ranks."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def kendall(a: Floats, b: Floats) -> float:
    """Rank correlation tau-b: pairs in the same order less pairs in the opposite one, over pairs without ties."""
    left, right = (np.sign(x[:, None] - x[None, :]) for x in (a, b))
    return float((left * right).sum() / np.sqrt((left**2).sum() * (right**2).sum()))


@final
@dataclass(frozen=True)
class Agreement:
    """How alike two technologies see the same designs; errors are factors, 1 is none."""

    spearman: float
    kendall: float
    typical: float
    """Geometric mean of the error of ratios to the first design."""
    largest: float
    """Of these ratios."""
    worst: int
    """The design with the largest."""
    pairs: float
    """Geometric mean of the error of the ratio of any two designs."""

    def __str__(self) -> str:
        """As the tables print it."""
        return f"{self.spearman:.3f}, {self.kendall:.3f}; {self.typical:.2f}, {self.largest:.2f}; {self.pairs:.2f}"


def agreement(ours: Floats, theirs: Floats) -> Agreement:
    """Compare figures of the same designs, float64[designs] above 0; NaN where a design has none.

    The first design is the reference, it must have both.
    """
    there = np.flatnonzero(np.isfinite(ours) & np.isfinite(theirs))
    a, b = ours[there], theirs[there]
    error = np.log(a / b)
    beside = np.abs(error - error[0])
    upper = np.triu_indices(len(error), 1)
    return Agreement(
        spearman(a, b),
        kendall(a, b),
        float(np.exp(beside[1:].mean())),
        float(np.exp(beside.max())),
        int(there[beside.argmax()]),
        float(np.exp(np.abs(error[:, None] - error[None, :])[upper].mean())),
    )


def among(figures: Sequence[Floats]) -> Agreement | None:
    """The medians over all pairs of technologies; None of fewer than two."""
    found = [agreement(a, b) for at, a in enumerate(figures) for b in figures[at + 1 :]]
    if not found:
        return None
    names = ("spearman", "kendall", "typical", "largest", "pairs")
    middle = {name: float(np.median([getattr(each, name) for each in found])) for name in names}
    return Agreement(**middle, worst=max(found, key=lambda each: each.largest).worst)
