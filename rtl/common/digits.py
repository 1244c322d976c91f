"""Radix-4 digits of signed operands: Booth, EN-T, and the non-adjacent form to compare with.

Booth: O. L. MacSorley, "High-speed arithmetic in binary computers", Proc. IRE 49(1), 1961. EN-T: arXiv 2404.11887,
section 3 (sign-magnitude, digits -1, 0, 1, 2). Non-adjacent form: G. W. Reitwiesner, "Binary arithmetic", Advances in
Computers 1, 1960.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput

__all__ = [
    "Integers", "booth_digits", "booth_selects", "code_digits", "decode", "encode", "encoded_width", "ent_code",
    "ent_digits", "naf_digits", "value",
]  # fmt: skip

Integers = NDArray[np.int64]

ENT_VALUES: Integers = np.array([0, 1, 2, -1])
"""What the two bits of an EN-T digit mean."""


def _checked(operands: Integers, width: int) -> Integers:
    operands = np.asarray(operands, dtype=np.int64)
    if width < 2 or width % 2:
        raise InvalidInput(f"width of an operand: got {width}, it must be even and at least 2")
    limit = 1 << (width - 1)
    if operands.size and not (-limit <= operands.min() and operands.max() < limit):
        raise InvalidInput(
            f"operands of {width} bits lie in {-limit} to {limit - 1}, got {operands.min()} to {operands.max()}"
        )
    return operands


def booth_digits(operands: Integers, width: int) -> Integers:
    """Booth digits -2 to 2, least significant first.

    Args:
        operands: int64[...], signed, of `width` bits.
        width: even.

    Returns:
        int64[..., width / 2].

    Raises:
        InvalidInput: for an odd width or an operand beyond it.
    """
    padded = _checked(operands, width)[..., None] << 1
    windows = (padded >> np.arange(0, width, 2)) & 7
    return np.asarray(np.array([0, 1, 1, 2, -2, -1, -1, 0])[windows], dtype=np.int64)


def ent_digits(operands: Integers, width: int) -> Integers:
    """EN-T digits of the magnitude, -1 to 2, least significant first; the sign of the operand is apart.

    Returns:
        int64[..., width / 2].

    Raises:
        InvalidInput: for an odd width or an operand beyond it.
    """
    magnitude = np.abs(_checked(operands, width))
    carry = np.zeros_like(magnitude)
    digits = []
    for low in range(0, width, 2):
        total = ((magnitude >> low) & 3) + carry
        carry = (total >= 3).astype(np.int64)
        digits.append(total - 4 * carry)
    assert not carry.any(), "a magnitude of at most 2^(width - 1) never carries out"
    return np.stack(digits, axis=-1)


def naf_digits(operands: Integers, width: int) -> Integers:
    """Non-adjacent form: radix-2 digits -1, 0, 1, the fewest that are not zero.

    Returns:
        int64[..., width + 1], least significant first.

    Raises:
        InvalidInput: for an odd width or an operand beyond it.
    """
    rest = _checked(operands, width).copy()
    digits = []
    for _ in range(width + 1):
        digit = np.where(rest & 1, 2 - (rest & 3), 0)
        digits.append(digit)
        rest = (rest - digit) >> 1
    return np.stack(digits, axis=-1)


def value(digits: Integers, radix: int = 4) -> Integers:
    """What digits (last axis, least significant first) add up to."""
    return np.asarray(digits @ radix ** np.arange(digits.shape[-1]), dtype=np.int64)


def booth_selects(operands: Integers, width: int) -> Integers:
    """Select lines of `booth_encoder.sv`: three bits a digit, {negative, two, one}; -0 for three ones."""
    digits = booth_digits(operands, width)
    negative = (np.asarray(operands)[..., None] >> np.arange(1, width, 2)) & 1
    lines = (np.abs(digits) == 1) | (np.abs(digits) == 2) * 2 | negative * 4
    return np.asarray((lines << np.arange(0, 3 * width // 2, 3)).sum(-1), dtype=np.int64)


def ent_code(operands: Integers, width: int) -> Integers:
    """Codes of `ent_encoder.sv`: two bits a digit, the sign above them."""
    digits = ent_digits(operands, width) & 3
    negative = (np.asarray(operands) < 0).astype(np.int64)
    return np.asarray((digits << np.arange(0, width, 2)).sum(-1) | negative << width, dtype=np.int64)


def code_digits(codes: Integers, width: int) -> Integers:
    """Signed digits -2 to 2 of EN-T codes (int64[...] to int64[..., width / 2]): the sign is applied to each."""
    codes = np.asarray(codes, dtype=np.int64)
    digits = ENT_VALUES[(codes[..., None] >> np.arange(0, width, 2)) & 3]
    return np.asarray(np.where((codes >> width)[..., None] & 1, -digits, digits), dtype=np.int64)


def encoded_width(width: int, multiplier: int) -> int:
    """Bits of an operand as it travels to the elements; `multiplier` as in `operand_encoder.sv`."""
    return 3 * width // 2 if multiplier == 2 else width + 1 if multiplier >= 3 else width


def encode(operands: Integers, width: int, multiplier: int) -> Integers:
    """Operands as `operand_encoder.sv` gives them, as bit patterns (signed operands where they stay plain)."""
    if multiplier == 2:
        return booth_selects(operands, width)
    return ent_code(operands, width) if multiplier >= 3 else operands


def decode(codes: Integers, width: int, multiplier: int) -> Integers:
    """Signed operands that arrive at a port: plain ones unless `multiplier` is 4, then EN-T codes."""
    return value(code_digits(codes, width)) if multiplier == 4 else codes
