"""Columns of the tables that the kernel reads and writes; all float64, and whole numbers in it are exact."""

from __future__ import annotations

# One row a layer (`table.py`).
LAYER_NAMES = (
    "kind", "m", "n", "k", "instances", "ifmap", "elements", "reads", "width", "passes", "trees", "scalars",
)  # fmt: skip
"""kind: below; m, n, k: of one GEMM; instances: GEMMs with operands of their own; ifmap: distinct input elements of one
instance; elements: a vector layer writes; reads: it reads; width: of its reductions; passes: vector operations per
element; trees, scalars: adder-tree and scalar operations per reduction."""
L_KIND, L_M, L_N, L_K, L_INSTANCES, L_IFMAP, L_ELEMENTS, L_READS, L_WIDTH, L_PASSES, L_TREES, L_SCALARS = range(12)
MATRIX, VECTOR, FUSED = range(3)

# One row a design (`space.py`).
DESIGN_NAMES = (
    "rows", "cols", "arrays", "dataflow", "half_ifmap", "half_filter", "half_ofmap", "bytes_per_cycle", "lanes",
    "element_bytes", "stream",
)  # fmt: skip
"""half_*: bytes of the half of a scratchpad that holds what is in use; the other half takes what comes next.
stream: the longest piece of the dimension in time (ws, is)."""
D_ROWS, D_COLS, D_ARRAYS, D_DATAFLOW, D_IFMAP, D_FILTER, D_OFMAP, D_LINK, D_LANES, D_ELEMENT, D_STREAM = range(11)
SUM_BYTES = 4
"""Partial sums are kept in 32 bits, as in the TPU (Jouppi et al., ISCA 2017, section 2: 32-bit accumulators)."""

# One row a result.
OUT_NAMES = (
    "compute_cycles", "vector_cycles", "stall_cycles", "macs", "vector_ops",
    "sram_ifmap_read", "sram_filter_read", "sram_ofmap_read", "sram_ofmap_write",
    "dram_ifmap", "dram_filter", "dram_ofmap_read", "dram_ofmap_write", "dram_vector_read", "dram_vector_write",
)  # fmt: skip
"""Cycles, operations, then bytes."""
O_COMPUTE, O_VECTOR, O_STALL, O_MACS, O_OPS, O_S_IFMAP, O_S_FILTER, O_S_READ, O_S_WRITE = range(9)
O_D_IFMAP, O_D_FILTER, O_D_READ, O_D_WRITE, O_D_VREAD, O_D_VWRITE = range(9, 15)
OUTS = len(OUT_NAMES)
