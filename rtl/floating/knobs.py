"""Parameters the floating-point blocks share, and what the models read from them."""

from __future__ import annotations

from archgym.rtl.block import Parameters
from archgym.rtl.floating.formats import Format
from archgym.rtl.floating.rounding import Rules
from archgym.space import Parameter

__all__ = ["OPERANDS", "RESULT", "RULES", "SUM", "in_format", "out_format", "pipeline", "rules"]

_WIDTHS = (2, 3, 7, 10)  # E5M2, E4M3, BF16, FP16
_SPECIALS = "Codes that are no numbers: 0 as IEEE 754, 1 as OCP E4M3."

OPERANDS = (
    Parameter("ExpWidth", (4, 5, 8), "ordinal", "bit", "operands", "Exponent."),
    Parameter("ManWidth", _WIDTHS, "ordinal", "bit", "operands", "Mantissa."),
    Parameter("Specials", (0, 1), "categorical", "", "operands", _SPECIALS),
)
RESULT = (
    Parameter("OutExpWidth", (4, 5, 8), "ordinal", "bit", "result", "Exponent of the result."),
    Parameter("OutManWidth", (*_WIDTHS, 23), "ordinal", "bit", "result", "Mantissa of the result."),
    Parameter("OutSpecials", (0, 1), "categorical", "", "result", _SPECIALS),
)
RULES = (
    Parameter("Subnormals", (0, 1), "ordinal", "", "rules", "Subnormals are numbers (1) or zero (0)."),
    Parameter("Round", (0, 1), "categorical", "", "rules", "To nearest even (0) or towards zero (1)."),
    Parameter("Saturate", (0, 1), "categorical", "", "rules", "Overflow gives infinity or NaN (0), the largest (1)."),
)
SUM = (
    Parameter("SumWidth", (12, 16, 20, 24, 32), "ordinal", "bit", "sum", "Significand of the partial sum."),
    Parameter("Normalise", (0, 1, 2), "categorical", "", "sum", "Partial sums: 0 not, 1 approximately, 2 exactly."),
    Parameter("NormK", (1, 2, 3), "ordinal", "bit", "sum", "First shift of approximate normalisation (k)."),
    Parameter("NormLambda", (1, 2, 3), "ordinal", "bit", "sum", "Further shift (lambda)."),
)


def pipeline(most: int) -> Parameter:
    """The knob that counts registers."""
    return Parameter("Pipeline", tuple(range(1, most + 1)), "ordinal", "", "timing", "Registers from input to output.")


def in_format(p: Parameters) -> Format:
    """Format of the operands."""
    return Format(p["ExpWidth"], p["ManWidth"], p["Specials"])


def out_format(p: Parameters) -> Format:
    """Format of the result: the operands' where the block has no other."""
    return Format(
        p.get("OutExpWidth", p["ExpWidth"]), p.get("OutManWidth", p["ManWidth"]), p.get("OutSpecials", p["Specials"])
    )


def rules(p: Parameters) -> Rules:
    """How the unit rounds, underflows and overflows."""
    return Rules(bool(p.get("Subnormals", 1)), bool(p.get("Round", 0)), bool(p.get("Saturate", 0)))
