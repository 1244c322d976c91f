"""The design space: from a GPU over a plain NPU and Newton to NeuPIMs, one knob per ingredient."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.errors import InvalidInput
from archgym.sims.llm.parallel import Parallel
from archgym.sims.neupims.system import System
from archgym.space import Choice, Designs, DesignSpace, Parameter

PUBLISHED = "published"
"""Split of a model over devices as in the paper (`workloads.SPLITS`)."""
SPLIT_CHOICES = (PUBLISHED, "1x1", "2x1", "4x1", "8x1", "16x1", "2x2", "4x2", "8x2", "4x4", "8x4")

PARAMETERS = (
    Parameter("host", ("npu", "gpu"), "categorical", "", "host", "What computes the projections: an NPU, or an A100."),
    Parameter("array_rows", (32, 64, 128, 256), "ordinal", "elements", "npu", "Rows of a systolic array."),
    Parameter("array_cols", (32, 64, 128, 256), "ordinal", "elements", "npu", "Columns of a systolic array."),
    Parameter("arrays", (1, 2, 4, 8, 16, 32), "ordinal", "arrays", "npu", "Systolic arrays."),
    Parameter("vector_units", (2, 4, 8, 16, 32), "ordinal", "units", "npu", "Vector units of 128 lanes."),
    Parameter("frequency_mhz", (500, 700, 1000, 1400), "ordinal", "MHz", "npu", "Clock of the NPU."),
    Parameter("scratchpad_kib", (1024, 4096, 16384, 65536, 131072), "ordinal", "KiB", "npu", "Scratchpad."),
    Parameter(
        "npu_attention", ("in-order", "spread"), "categorical", "", "npu", "Attention on the NPU: heads to arrays."
    ),
    Parameter("pim", ("none", "single", "dual"), "categorical", "", "pim", "PIM: none, one row buffer, two."),
    Parameter("pim_commands", ("fine", "composite"), "categorical", "", "pim", "One command per COMP, or per result."),
    Parameter("pim_issue", ("shared", "per-channel"), "categorical", "", "pim", "Who issues PIM commands."),
    Parameter("pim_multipliers", (4, 8, 16, 32, 64), "ordinal", "multipliers", "pim", "Multipliers per bank."),
    Parameter("channels", (8, 16, 32, 64), "ordinal", "channels", "memory", "Channels of 1 GiB each."),
    Parameter("banks", (16, 32, 64), "ordinal", "banks", "memory", "Banks of a channel."),
    Parameter("page_bytes", (512, 1024, 2048), "ordinal", "B", "memory", "Row of a bank."),
    Parameter("packing", ("round-robin", "min-load"), "categorical", "", "schedule", "Requests to channels."),
    Parameter(
        "sub_batching", ("off", "on", "threshold"), "categorical", "", "schedule", "Two interleaved sub-batches."
    ),
    Parameter(
        "sub_batch_threshold", (64, 128, 192, 256, 384, 512), "ordinal", "requests", "schedule", "From which batch on."
    ),
    Parameter("split", SPLIT_CHOICES, "categorical", "", "devices", "Tensor x pipeline degree, or the paper's."),
)

_GPU_KEEPS = ("host", "split")
_PIM_KNOBS = (
    "pim_commands", "pim_issue", "pim_multipliers", "packing", "sub_batching", "sub_batch_threshold",
)  # fmt: skip
_DEFAULT = System()


def system_of(design: dict[str, Choice]) -> System:
    """The system of a decoded design."""
    return System(**{name: value for name, value in design.items() if name != "split"})  # type: ignore[arg-type]


def split_of(choice: str, published: Parallel) -> Parallel:
    """Degrees of a split.

    Raises:
        InvalidInput: for a text that is not "<tensor>x<pipeline>".
    """
    if choice == PUBLISHED:
        return published
    tensor, _, pipeline = choice.partition("x")
    if not (tensor.isdigit() and pipeline.isdigit()):
        raise InvalidInput(f"split {choice!r}; allowed: {', '.join(SPLIT_CHOICES)}")
    return Parallel(int(tensor), int(pipeline))


def collapse(rows: Designs) -> Designs:
    """Replace choices that change nothing by the shipped ones, int32[n, d]."""
    found = np.array(rows, dtype=np.int32)
    gpu = found[:, _column("host")] == PARAMETERS[_column("host")].index("gpu")
    for column, parameter in enumerate(PARAMETERS):
        if parameter.name not in _GPU_KEEPS:
            found[gpu, column] = _default(parameter, "none" if parameter.name == "pim" else None)
    none = found[:, _column("pim")] == PARAMETERS[_column("pim")].index("none")
    for name in _PIM_KNOBS:
        column = _column(name)
        found[none, column] = _default(PARAMETERS[column], "off" if name == "sub_batching" else None)
    attention = _column("npu_attention")
    found[~none, attention] = _default(PARAMETERS[attention])
    column = _column("sub_batching")
    fixed = found[:, column] != PARAMETERS[column].index("threshold")
    threshold = _column("sub_batch_threshold")
    found[fixed, threshold] = _default(PARAMETERS[threshold])
    return found


def _default(parameter: Parameter, choice: str | None = None) -> int:
    return parameter.index(getattr(_DEFAULT, parameter.name) if choice is None else choice)


def _column(name: str) -> int:
    return next(i for i, parameter in enumerate(PARAMETERS) if parameter.name == name)


def design_space() -> DesignSpace:
    """The space."""
    return DesignSpace(PARAMETERS, canonical=collapse)


def index_rows(rows: Designs) -> tuple[Designs, NDArray[np.intp]]:
    """Distinct rows after `collapse`, and for every row the place of its representative."""
    distinct, place = np.unique(collapse(rows), axis=0, return_inverse=True)
    return distinct, place.reshape(-1)
