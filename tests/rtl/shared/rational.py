"""Rounding of exact rational numbers to a format, in Python's integers: what the models are compared with."""

from __future__ import annotations

from fractions import Fraction

from archgym.rtl.floating.formats import IEEE, NUMBERS, Format


def nearest(form: Format, value: Fraction, *, negative: bool, truncate: bool = False, saturate: bool = False) -> int:
    """The word for a value: to nearest even or towards zero; `negative` gives the sign of zero."""
    sign = form.sign_bit if negative else 0
    size = abs(value)
    if size == 0:
        return sign
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= Fraction(2) ** exponent > size
    exponent = max(exponent, 1 - form.bias)
    steps = size / Fraction(2) ** (exponent - form.man_width)
    units = int(steps) if truncate else round(steps)  # Python rounds ties to even
    magnitude = ((exponent + form.bias - 1) << form.man_width) + units
    if magnitude > form.largest:
        keep = truncate or saturate or form.specials == NUMBERS
        magnitude = form.largest if keep else form.infinity if form.specials == IEEE else form.nan
    return magnitude | sign
