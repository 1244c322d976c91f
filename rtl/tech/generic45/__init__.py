"""The embedded technology: standard cells of a generic 45 nm process, derived from transistors and design rules.

`python -m archgym.rtl.tech.generic45` writes `generic45.lib` anew. A cell is a list of static CMOS stages
(`topology`, `cells`); its area follows from gate columns (`geometry`), its delays from a transistor's current that
discharges a capacitance (`stage`, `timing`), its leakage from series stacks that are off (`leakage`).
"""
