"""What the parts of an NPU cost at 45 nm: energy per use, area and leakage, each with its source.

One node for all: Horowitz's and Dally's tables are TSMC 45 nm at 0.9 V, the SRAM macro is FreePDK45 (its area and
leakage were made with CACTI), the flip-flop is a commercial 40 nm one, taken as it is.

    Horowitz   M. Horowitz, "Computing's energy problem (and what we can do about it)", ISSCC 2014, figure 1.1.9
    Dally      W. Dally, "High-performance hardware for machine learning", tutorial at NIPS 2015: Horowitz's energies
               with areas from synthesis, TSMC 45 nm
    Macro      The-OpenROAD-Project/OpenROAD-flow-scripts, flow/platforms/nangate45/lib/fakeram45_2048x39.lib
    Aladdin    harvard-acc/ALADDIN, common/power_func.h, register at 1 ns; Shao et al., ISCA 2014
    TPU        Jouppi et al., "In-datacenter performance analysis of a tensor processing unit", ISCA 2017
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import final

__all__ = ["PRECISIONS", "Precision"]


@final
@dataclass(frozen=True)
class Precision:
    """A number format of the array: operands of `element_bytes`, sums of 32 bits."""

    element_bytes: int
    mac_pj: float
    mac_um2: float


PRECISIONS = MappingProxyType(
    {
        # 8-bit multiply 0.2 pJ, 32-bit add 0.1 pJ (Horowitz); 282 and 137 um2 (Dally)
        "int8": Precision(1, 0.2 + 0.1, 282.0 + 137.0),
        # FP16 multiply 1.1 pJ, FP32 add 0.9 pJ (Horowitz); 1640 and 4184 um2 (Dally)
        "fp16": Precision(2, 1.1 + 0.9, 1640.0 + 4184.0),
    }
)

# A vector lane works in FP32, as softmax and normalisation need: one multiplier, one adder (Horowitz; Dally).
LANE_OPERATION_PJ = 3.7 + 0.9
LANE_UM2 = 7700.0 + 4184.0
LANE_REGISTER_BITS = 3 * 32  # two operands and a result

SUM_BITS = 32
REGISTER_BIT_PJ = 8.999495e-3  # clocked once (Aladdin, REG_1ns_dynamic_energy)
REGISTER_BIT_UM2 = 5.981433  # Aladdin, REG_1ns_area
LOGIC_LEAKAGE_MW_PER_MM2 = 7.395312e-5 / 5.981433e-6  # of that register: 12.4 (Aladdin, REG_1ns_leakage_power / area)

# 64 bits of an 8 KiB SRAM cost 10 pJ, of 32 KiB 20 pJ, of 1 MiB 100 pJ (Horowitz): the square root of the size, as the
# wires across the array suggest; it gives 113 pJ for 1 MiB.
SRAM_PJ_PER_BYTE = 10.0 / 8.0
SRAM_REFERENCE_KIB = 8.0
# Macros of 64 bits: words, um2, leakage in mW at 25 degrees C (fakeram45_{32,64,128,512}x64.lib beside Macro). Small
# ones are less dense, which is what wide ports to small scratchpads cost; deeper banks are several of the last.
SRAM_WORD_BITS = 64
SRAM_MACRO_WORDS = (32.0, 64.0, 128.0, 512.0)
SRAM_MACRO_UM2 = (1754.536, 3817.1, 5479.6, 17301.438)
SRAM_MACRO_LEAKAGE_MW = (0.0785249, 0.18717, 0.303495, 0.823237)
SRAM_BIT_UM2 = 45478.818 / (2048 * 39)  # Macro, area: 0.569
SRAM_BIT_LEAKAGE_MW = 1.8766 / (2048 * 39)  # Macro, cell_leakage_power 1876600 nW, 25 degrees C

# Two DDR3-2133 ports (2 x 17.06 GB/s) take 3 % each of a die of at most 331 mm2 (TPU, figure 2 and table 2). Analogue
# circuits hardly shrink, so the 28 nm figure stands. It is an upper estimate: the die may be smaller, and the
# interfaces of stacked DRAM in the package are denser.
INTERFACE_MM2_PER_GBPS = 2 * 0.03 * 331.0 / (2 * 17.06)
