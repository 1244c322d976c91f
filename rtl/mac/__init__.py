"""Multiply-accumulate units: dense ones with five multipliers, and sparse ones that skip digits that are zero."""
