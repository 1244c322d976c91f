"""What the kernels need to know of a system: times derived from its DRAM timings and its PIM device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.sims.neupims.kernel_gemm import NpuTimes
from archgym.sims.neupims.kernel_memory import MemoryTimes
from archgym.sims.neupims.kernel_pim import PimTimes
from archgym.sims.neupims.system import System
from archgym.sims.pim.device import PimDevice
from archgym.sims.pim.gemv import key_rows
from archgym.sims.pim.tile import activation_offsets

TRANSPORT = 3
"""Memory cycles from the NPU to a channel, or back: queues and a crossbar of latency 1 at twice the clock
(casys-kaist/NeuPIMs f299af3, configs/systolic_ws_128x128_dev.json and Simulator.cc)."""


def memory_times(pim: PimDevice) -> MemoryTimes:
    """The memory as the NPU's stream of reads sees it."""
    t, device = pim.device.timing, pim.device
    ranks = device.pseudochannels * pim.ranks
    row = float(pim.channels * device.row_bytes)
    return MemoryTimes(
        rate=pim.channels * device.access_bytes / t["nBL"],
        accept=float(t["nBL"]),
        sweep=row * pim.banks_per_rank,
        row=row,
        ranks=ranks,
        interval=t["nREFI"] / ranks,
        blocked=float(pim.banks_per_rank + t["nRP"] + t["nRFC"]),
        latency=float(2 * TRANSPORT + t["nRCDRD"] + t["nCL"] + t["nBL"]),
        burst=float(t["nBL"]),
        store=float(TRANSPORT),
    )


def npu_times(system: System) -> NpuTimes:
    """The NPU."""
    return NpuTimes(
        rows=system.array_rows,
        cols=system.array_cols,
        arrays=system.arrays,
        cycle=1000.0 / system.frequency_mhz,  # the memory's clock is 1 GHz
        units=system.vector_units,
        lanes=system.vector_lanes,
        half_bytes=system.scratchpad_kib * 1024 / 2,
    )


def pim_times(pim: PimDevice, shared_issue: bool, npu_mhz: int) -> PimTimes:
    """Kernels of a channel."""
    t = pim.device.timing
    ranks = pim.device.pseudochannels * pim.ranks
    span, in_rank = activation_offsets(pim)
    bank = pim.precharge == "bank"
    composite, dual = pim.command_set == "composite", pim.row_buffers == 2
    comp = pim.comp_cycles
    close_rank = (pim.banks_per_rank if bank else 1) - 1 + t["nRP"]
    return PimTimes(
        hold=float(t["nRTP"]),
        per_comp=0.0 if pim.row_held_by == "issue" or not composite else float(comp),
        restore=-1e9 if bank else float(t["nRAS"] - t["nRCDRD"]),
        banks=float(pim.banks),
        per_bank=1.0 if bank else 0.0,
        at_least=float(t["nRP"] if not bank else 0),
        gap=float(1 + span + t["nRCDRD"]),  # the header takes one cycle of the command bus
        interval=t["nREFI"] / ranks,
        ranks=ranks,
        estimate=float(in_rank + t["nRCDRD"]),
        estimate_open=float(t["nRTP"]),
        estimate_result=float(max(t["nBL"], t["nCCDL"])),
        comp=float(comp),
        fill=pim.pipeline_fill,
        composite=composite,
        dual=dual,
        gwrite=float(pim.gwrite_cycles),
        gwrite_issue=float(comp),
        gwrite_closed=float(t["nRCDRD"]),
        closing=float(t["nRP"]),
        refresh=float(t["nRFC"]),
        restart=float(in_rank + t["nRCDRD"]),
        precharges=float(close_rank),
        per_cycle=npu_mhz / 1000.0 if shared_issue else 0.0,
        traffic=float(t["nRRDL"]),
        answer=float(t["nCL"] + t["nBL"] + TRANSPORT),
        transport=float(TRANSPORT),
    )


def key_shape(pim: PimDevice, heads: int, kv_heads: int, head_dim: int) -> NDArray[np.int64]:
    """Layout of keys for `kernel_pim.score`: banks, passes, and up to two kinds of rows."""
    m = pim.multipliers_per_bank
    kinds = [(n, results, -(-elements // m)) for n, results, elements in key_rows(pim, kv_heads, head_dim)]
    flat = [number for kind in (*kinds, (0, 0, 0), (0, 0, 0))[:2] for number in kind]
    return np.array([pim.banks, heads // kv_heads, *flat], dtype=np.int64)


def bus_share(pim: PimDevice, period: float, comps: int, results: int) -> float:
    """Part of the data bus that reads keep while tiles of `period` cycles run beside them.

    Precharges fill the command bus; a composite command keeps reads away for a burst and a turn of the bus, a COMP or
    READRES of its own each time (tCCD); of the header and the group activates every other one meets a read, which takes
    every other cycle. With one row buffer nothing is left: the banks serve one or the other.
    """
    if pim.row_buffers == 1:
        return 0.0
    t, ranks = pim.device.timing, pim.device.pseudochannels * pim.ranks
    precharges = pim.banks if pim.precharge == "bank" else ranks
    if pim.command_set == "composite":
        commands = results * (t["nBL"] + t["nRTRS"])
    else:
        commands = results * (comps + 1) * pim.comp_cycles
    lost = precharges + commands + (1 + ranks * pim.activations_per_rank) / t["nBL"]
    return max(0.0, 1.0 - lost / period)
