"""Floating-point units: multiplier, adder, fused multiply-add with exact or approximate normalisation, L-Mul."""
