"""The design space of Duplex and its comparators, and which designs cannot differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.sims.duplex.stack import HBM3
from archgym.sims.duplex.units import PIMS, XPUS
from archgym.space import Designs, DesignSpace, Parameter

__all__ = ["SPACE", "collapse", "decode"]

Columns = dict[str, NDArray[Any]]

_PARAMETERS = (
    Parameter("xpu", tuple(XPUS), "categorical", "", "device", "Processor beside the memory stacks."),
    Parameter("stacks", (4, 5, 6, 8), "ordinal", "stacks", "device", "HBM3 stacks of a device: 670 GB/s, 16 GB each."),
    Parameter("pim", ("none", *PIMS), "categorical", "", "memory", "Where units inside the stacks are."),
    Parameter("pim_bandwidth", (2, 4, 8, 16), "ordinal", "x", "memory", "Bandwidth inside over that at the pins."),
    Parameter("pim_op_per_byte", (1, 2, 4, 8, 16), "ordinal", "Op/B", "memory", "Peak of the units over bandwidth."),
    Parameter(
        "offload", ("attention", "attention+experts", "all"), "categorical", "", "policy",
        "What may run in the memory where that is faster.",
    ),
    Parameter("attention_coprocessing", (False, True), "boolean", "", "policy", "Prefill beside decode attention."),
    Parameter("expert_coprocessing", (False, True), "boolean", "", "policy", "Experts on both processors at once."),
    Parameter(
        "expert_split", ("expert", "tensor"), "categorical", "", "policy",
        "Devices of a node hold whole experts, or a slice of each.",
    ),
    Parameter(
        "merged_reduction", (False, True), "boolean", "", "policy",
        "Add up slices and experts in one all-reduce instead of two.",
    ),
    Parameter(
        "cluster_scale", (0.5, 1, 2, 4), "ordinal", "x", "cluster",
        "Devices over the model's own number: the power of two whose memory holds the weights twice.",
    ),
    Parameter("link_gb_per_s", (150, 300, 450, 900), "ordinal", "GB/s", "cluster", "Inside a node, one direction."),
    Parameter("max_batch", (8, 16, 32, 64, 128, 256), "ordinal", "requests", "serving", "Requests in a stage at most."),
    Parameter(
        "prefill_tokens_per_stage", (1024, 2048, 4096, 8192, 16384), "ordinal", "tokens", "serving",
        "Prompt tokens a stage reads at most (but one prompt always).",
    ),
    Parameter(
        "stage_policy", ("mixed", "prefill-first", "decode-first"), "categorical", "", "serving",
        "New prompts: beside decoding; in a stage of their own at once; when the batch has drained.",
    ),
)  # fmt: skip


def decode(rows: Designs) -> Columns:
    """Values of each knob, {name: array[n]}."""
    return DesignSpace(_PARAMETERS).columns(rows)


def _canonical(designs: Designs) -> Designs:
    rows = SPACE.validate(designs)
    return collapse(rows, decode(rows))


def collapse(rows: Designs, values: Mapping[str, NDArray[Any]]) -> Designs:
    """Give knobs without effect, whatever the workload, their first choice, int32[n, d].

    Without units nothing about them matters. Units that need every bank leave the xPU no section to work on beside
    them. Experts that stay on the xPU are not split, and whole ones have no slices to add up.
    """
    found = rows.copy()
    none = values["pim"] == "none"
    whole = np.isin(values["pim_bandwidth"], [m for m in (2, 4, 8, 16) if HBM3.sections(m) == 1])
    dead = {
        "pim_bandwidth": none,
        "pim_op_per_byte": none,
        "offload": none,
        "attention_coprocessing": none | whole,
        "merged_reduction": values["expert_split"] == "expert",
        "expert_coprocessing": none | whole | (values["offload"] == "attention"),
    }
    for name, where in dead.items():
        found[where, SPACE.position(name)] = 0
    return np.asarray(found)


SPACE = DesignSpace(_PARAMETERS, canonical=_canonical)
