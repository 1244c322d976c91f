"""Designs written out: sources, netlist, reports, and a check that what was written is what was measured."""
