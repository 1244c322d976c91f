"""The systolic NPU as a simulator: designs in, cycles, stalls, traffic, energy, power and area out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.core import INFEASIBLE, OK, Designs, Evaluations, Metric, Simulator
from archgym.errors import InvalidInput
from archgym.sims.npu import area, energy, kernel, layout as L
from archgym.sims.npu.layer_csv import read_csv
from archgym.sims.npu.layers import Network
from archgym.sims.npu.memory import link
from archgym.sims.npu.networks import NETWORKS, fingerprint, network
from archgym.sims.npu.scratchpads import Columns, area_and_leakage, decode, shortages
from archgym.sims.npu.space import MEMORIES, space as design_space
from archgym.sims.npu.systolic import DATAFLOWS
from archgym.sims.npu.table import layer_table
from archgym.sims.npu.technology import PRECISIONS

VERSION = "1"
"""Changes whenever any number can change."""

Floats = NDArray[np.float64]

METRICS = (
    Metric("cycles", "cycles", "minimize", "Of the whole workload: the next three together."),
    Metric("compute_cycles", "cycles", "minimize", "Of the arrays, as SCALE-Sim counts them."),
    Metric("vector_cycles", "cycles", "minimize", "In which only the vector units work."),
    Metric("stall_cycles", "cycles", "minimize", "Waiting for DRAM, first operands and last results included."),
    Metric("latency_ns", "ns", "minimize", "Time of the whole workload."),
    Metric("time_ns", "ns", "minimize", "The same: the objective edp asks for it by this name."),
    Metric("utilisation", "1", "maximize", "Multiply-accumulates over what the arrays could do in all cycles."),
    Metric("performance_gops", "Gop/s", "maximize", "Two operations per multiply-accumulate, over the latency."),
    Metric("gops_per_mm2", "Gop/s/mm2", "maximize", "Performance over area."),
    Metric("gops_per_w", "Gop/s/W", "maximize", "Performance over power."),
    Metric("sram_ifmap_read_bytes", "B", "minimize", "Inputs from scratchpad to array."),
    Metric("sram_filter_read_bytes", "B", "minimize", "Weights from scratchpad to array."),
    Metric("sram_ofmap_read_bytes", "B", "minimize", "Partial sums back to the array, and operands of vector units."),
    Metric("sram_ofmap_write_bytes", "B", "minimize", "Outputs and partial sums, and results of vector units."),
    Metric("dram_ifmap_bytes", "B", "minimize", "Inputs read from DRAM."),
    Metric("dram_filter_bytes", "B", "minimize", "Weights read from DRAM."),
    Metric("dram_ofmap_read_bytes", "B", "minimize", "Partial sums read back from DRAM."),
    Metric("dram_ofmap_write_bytes", "B", "minimize", "Outputs and partial sums written to DRAM."),
    Metric("dram_vector_bytes", "B", "minimize", "Of vector layers, both ways."),
    Metric("dram_bytes", "B", "minimize", "All of DRAM's."),
    Metric("energy_pj", "pJ", "minimize", "All of the following."),
    *(Metric(f"energy_{part}_pj", "pJ", "minimize", doc) for part, doc in zip(energy.PARTS, (
        "Multiply-accumulates and their registers.", "Vector units.", "Input scratchpad.", "Weight scratchpad.",
        "Output scratchpad.", "DRAM, standby and refresh included.", "Leakage of the chip."), strict=True)),
    Metric("power_mw", "mW", "minimize", "Mean power: energy over latency."),
    Metric("area_mm2", "mm2", "minimize", "All of the following, at 45 nm."),
    *(Metric(f"area_{part}_mm2", "mm2", "minimize", doc) for part, doc in zip(area.PARTS, (
        "Arrays.", "Scratchpads.", "Vector units.", "DRAM interface."), strict=True)),
)  # fmt: skip


class SystolicNpu(Simulator):
    """A systolic NPU on one network, layer after layer; see `sims/npu/VALIDATION.md`."""

    name = "npu"
    version = VERSION
    metrics = METRICS
    workloads = tuple(NETWORKS)

    def __init__(self, memories: Sequence[str] = MEMORIES) -> None:
        """Build for the memories a design may choose from.

        Args:
            memories: "ideal" and names of `archgym.sims.dram.devices.DEVICES`.

        Raises:
            UnknownName: for another name.
            InvalidInput: for none, or one twice.
        """
        self.space = design_space(memories)
        self.options = {"memories": list(memories)}

    def simulate(self, designs: Designs, workload: str) -> Evaluations:
        """Score designs on a shipped network, a specification of one ("resnet18:batch=8"), an ONNX or a CSV file.

        Raises:
            InvalidInput: for designs outside the space, an unknown workload or a file that cannot be read.
        """
        rows = self.space.validate(designs)
        layers = _table(load(workload))
        columns = self.space.columns(rows)
        reasons = shortages(columns)
        values = np.full((len(rows), len(METRICS)), np.nan)
        fits = np.array([not reason for reason in reasons], dtype=np.bool_)
        if fits.any():
            found = score(layers, {name: column[fits] for name, column in columns.items()})
            values[fits] = np.stack([found[metric.name] for metric in METRICS], axis=1)
        return Evaluations.of(METRICS, values, np.where(fits, OK, INFEASIBLE), reasons)

    def by_layer(self, design: Designs, workload: str) -> list[dict[str, float | str]]:
        """One design, layer by layer: name, and cycles, operations and bytes (`layout.OUT_NAMES`).

        Raises:
            InvalidInput: as `simulate`, and for a design that is infeasible.
        """
        columns = self.space.columns(self.space.validate(np.asarray(design).reshape(1, -1)))
        shortage = shortages(columns)[0]
        if shortage:
            raise InvalidInput(shortage)
        layers = load(workload)
        table = _table(layers)
        out = np.zeros((len(table), L.OUTS))
        kernel.by_layer(table, design_rows(columns, _rates(columns)[0])[0], out)
        return [
            {"layer": layer.name, **dict(zip(L.OUT_NAMES, row, strict=True))}
            for layer, row in zip(layers, out.tolist(), strict=True)
        ]

    def workload_fingerprint(self, workload: str) -> str:
        """Identify the layers, or the file's content.

        Raises:
            InvalidInput: for an unknown workload or a file that cannot be read.
        """
        if workload.lower().endswith(".csv"):
            return hashlib.sha256(repr(read_csv(workload)).encode()).hexdigest()
        return fingerprint(workload)


def load(workload: str) -> Network:
    """The layers of a workload.

    Raises:
        UnknownName, InvalidInput: for an unknown one, or a file that cannot be read.
    """
    return read_csv(workload) if workload.lower().endswith(".csv") else network(workload)


_table = lru_cache(maxsize=64)(layer_table)


def score(layers: Floats, columns: Columns) -> dict[str, Floats]:
    """Metrics of decoded designs {parameter: array[n]} on a layer table, float64[n] each; designs must fit.

    Raises:
        UnknownName: for an unknown memory.
    """
    n = len(columns["rows"])
    rate, links = _rates(columns)
    channels = columns["memory_channels"]
    out = np.zeros((n, L.OUTS))
    kernel.score(layers, design_rows(columns, rate), out)
    counts = {name: out[:, column] for column, name in enumerate(L.OUT_NAMES)}
    elements = (columns["rows"] * columns["cols"] * columns["arrays"]).astype(np.float64)
    kib = {name: columns[f"{name}_kib"] for name in ("ifmap", "filter", "ofmap")}
    all_kib = kib["ifmap"] + kib["filter"] + kib["ofmap"]
    each_um2 = decode(columns["precision"], {name: area.element_um2(name) for name in PRECISIONS})
    sram_mm2, sram_mw = area_and_leakage(columns)
    areas = area.parts(elements, each_um2, all_kib, columns["vector_lanes"], links["peak_gbps"] * channels, sram_mm2)
    cycles = counts["compute_cycles"] + counts["vector_cycles"] + counts["stall_cycles"]
    latency_ns = cycles * 1000.0 / columns["frequency_mhz"]
    per_mac = {f"{p} {d}": energy.mac_pj(p, d) for p in PRECISIONS for d in DATAFLOWS}
    mac = decode(np.strings.add(np.strings.add(columns["precision"], " "), columns["dataflow"]), per_mac)
    energies = energy.parts(
        counts,
        kib,
        mac,
        links["pj_per_byte"],
        links["background_mw"] * channels,
        area.leakage_mw(areas, all_kib, sram_mw),
        latency_ns,
    )
    total_pj, total_mm2 = _sum(energies), _sum(areas)
    operations = 2.0 * counts["macs"]
    return {
        "cycles": cycles,
        **{name: counts[name] for name in ("compute_cycles", "vector_cycles", "stall_cycles")},
        "latency_ns": latency_ns,
        "time_ns": latency_ns,
        "utilisation": counts["macs"] / (cycles * elements),
        "performance_gops": operations / latency_ns,
        "gops_per_mm2": operations / latency_ns / total_mm2,
        "gops_per_w": operations * 1000.0 / total_pj,
        **{f"{name}_bytes": counts[name] for name in L.OUT_NAMES if name.startswith("sram")},
        **{f"dram_{name}_bytes": counts[f"dram_{name}"] for name in ("ifmap", "filter", "ofmap_read", "ofmap_write")},
        "dram_vector_bytes": counts["dram_vector_read"] + counts["dram_vector_write"],
        "dram_bytes": energy.dram_bytes(counts),
        "energy_pj": total_pj,
        **{f"energy_{name}_pj": part for name, part in energies.items()},
        "power_mw": total_pj / latency_ns,
        "area_mm2": total_mm2,
        **{f"area_{name}_mm2": part for name, part in areas.items()},
    }


def _rates(columns: Columns) -> tuple[Floats, dict[str, Floats]]:
    """Bytes per cycle of each design's memory, and what one of its channels is (`memory.Link`), float64[n] each."""
    links = {str(name): link(str(name)) for name in np.unique(columns["memory"])}
    found = {
        what: decode(columns["memory"], {name: getattr(each, what) for name, each in links.items()})
        for what in ("gbps", "peak_gbps", "pj_per_byte", "background_mw")
    }
    return found["gbps"] * columns["memory_channels"] * 1000.0 / columns["frequency_mhz"], found


def design_rows(columns: Columns, bytes_per_cycle: Floats) -> Floats:
    """Designs as the kernel reads them, float64[n, `layout.DESIGN_NAMES`]."""
    half = {f"half_{name}": columns[f"{name}_kib"] * 512.0 for name in ("ifmap", "filter", "ofmap")}
    given: dict[str, NDArray[Any]] = {
        **{name: columns[name] for name in ("rows", "cols", "arrays")},
        "dataflow": decode(columns["dataflow"], {name: code for code, name in enumerate(DATAFLOWS)}),
        **half,
        "bytes_per_cycle": bytes_per_cycle,
        "lanes": columns["vector_lanes"],
        "element_bytes": decode(columns["precision"], {name: p.element_bytes for name, p in PRECISIONS.items()}),
        "stream": columns["stream_length"],
    }
    return np.stack([np.asarray(given[name], dtype=np.float64) for name in L.DESIGN_NAMES], axis=1)


def _sum(parts: Mapping[str, Floats]) -> Floats:
    total: Floats = np.sum(list(parts.values()), axis=0)
    return total
