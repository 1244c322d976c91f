"""DRAM: memory controllers and devices, cycle-accurate and event-driven."""
