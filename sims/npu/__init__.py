"""Systolic NPUs: layers, arrays, memory stalls, energy and area."""
