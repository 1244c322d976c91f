"""Processing in memory: PIM commands on DRAM banks, their timing, energy and kernels."""
