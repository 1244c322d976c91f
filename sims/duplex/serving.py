"""A system serves a load: the compiled loop fed with the work of a model, and what comes out of it."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from archgym.sims.duplex import kernel_serve as loop
from archgym.sims.duplex.gates import expert_tokens, token_grid
from archgym.sims.duplex.kernel_experts import experts_table
from archgym.sims.duplex.kernel_stage import OUTPUTS, Rates, stage
from archgym.sims.duplex.layers import BYTES, attention, dense_rows, expert, expert_groups, fit
from archgym.sims.duplex.system import System
from archgym.sims.duplex.workloads import Workload
from archgym.sims.llm.collectives import link
from archgym.sims.llm.models import Decoder
from archgym.sims.llm.parallel import DoesNotFit

__all__ = ["Overflow", "Served", "StageModel", "serve"]

Floats = NDArray[np.float64]
Overflow = Literal["refuse", "shrink"]
"""When a full batch of mean requests does not fit the memory: call the design infeasible, or run with what fits."""

_POLICY = {"mixed": loop.MIXED, "prefill-first": loop.PREFILL_FIRST, "decode-first": loop.DECODE_FIRST}


class StageModel:
    """Stages of one model on one system: `stage` gives seconds, busy times, bytes and operations of any stage."""

    def __init__(self, decoder: Decoder, system: System, *, exact_tokens: int, most_tokens: int, seed: int = 0) -> None:
        """Prepare tables.

        Args:
            decoder: the model.
            system: the devices.
            exact_tokens: experts are tabulated for each number of tokens up to this one, beyond it 5 % apart.
            most_tokens: tokens in a stage at most.
            seed: of the gates.

        Raises:
            InvalidInput: when experts cannot be dealt out evenly.
        """
        self.rates = _rates(decoder, system)
        self.rows = dense_rows(decoder, system)
        self.grid, self.table = np.zeros(0, dtype=np.int64), np.zeros((0, 5))
        if decoder.experts:
            self.grid = token_grid(exact_tokens, most_tokens)
            counts = expert_tokens(decoder, tuple(self.grid.tolist()), seed)
            self.table = _experts(decoder, system, self.grid, counts)

    def stage(self, decode: NDArray[np.int64], prefill: NDArray[np.int64]) -> Floats:
        """One stage of requests that attend to `decode` tokens each and prompts of `prefill` tokens, float64[7]."""
        out = np.zeros(OUTPUTS)
        prompts = np.asarray(prefill, dtype=np.int64)
        pairs = int((prompts * (prompts + 1) // 2).sum())
        stage(
            self.rates, self.rows, self.grid, self.table,
            len(decode), int(np.sum(decode)), len(prompts), int(prompts.sum()), pairs, out,
        )  # fmt: skip
        return out


@dataclass(frozen=True, eq=False)
class Served:
    """A served load; times in seconds. Requests that were running at the start are in no latency."""

    t2ft_s: Floats
    e2e_s: Floats
    gap_s: Floats
    gap_count: Floats
    seconds: float
    stages: int
    mixed_stages: int
    mean_batch: float
    tokens: int
    finished: int
    totals: Floats
    """Sums of `StageModel.stage` over all stages."""

    @property
    def tokens_per_s(self) -> float:
        """Tokens generated over the time."""
        return self.tokens / self.seconds

    @cached_property
    def _sorted_gaps(self) -> tuple[Floats, Floats]:
        """Gaps in ascending order, and how many tokens there are up to each."""
        order = np.argsort(self.gap_s)
        return self.gap_s[order], np.cumsum(self.gap_count[order])

    def tbt_s(self, percentile: float) -> float:
        """Percentile (0 to 100) of the time between tokens, each token counted."""
        gaps, tokens = self._sorted_gaps
        return float(gaps[np.searchsorted(tokens, percentile / 100 * tokens[-1])])


def serve(workload: Workload, system: System, *, overflow: Overflow = "refuse", seed: int = 0) -> Served:
    """Serve a workload.

    Raises:
        InvalidInput: when the model cannot be cut so.
        DoesNotFit: when weights, the batch or one request do not fit the memory (bytes needed and available).
    """
    load, tokens = workload.load(seed), _cache_tokens(workload, system, overflow, seed)
    batch = min(system.max_batch, load.clients or len(load.prompt))
    longest = int(load.prompt.max())
    most = batch + min(max(system.prefill_tokens_per_stage, longest), batch * longest)
    model = StageModel(workload.decoder, system, exact_tokens=batch, most_tokens=most, seed=seed)
    arrival, first, finish, gaps, counts, totals = loop.serve(
        model.rates, model.rows, model.grid, model.table,
        load.arrival_s, load.prompt, load.output, load.produced,
        load.clients, load.stop, system.max_batch, tokens, system.prefill_tokens_per_stage,
        _POLICY[system.stage_policy],
    )  # fmt: skip
    fresh = np.arange(len(arrival)) >= load.clients
    return Served(
        t2ft_s=(first - arrival)[fresh & np.isfinite(first)],
        e2e_s=(finish - arrival)[fresh & np.isfinite(finish)],
        gap_s=gaps,
        gap_count=counts,
        seconds=float(totals[loop.END]),
        stages=int(totals[loop.STAGES]),
        mixed_stages=int(totals[loop.MIXED_STAGES]),
        mean_batch=float(totals[loop.BATCH_SECONDS] / totals[loop.END]),
        tokens=int(totals[loop.TOKENS]),
        finished=int(np.isfinite(finish).sum()),
        totals=totals[:OUTPUTS],
    )


def _cache_tokens(workload: Workload, system: System, overflow: Overflow, seed: int) -> int:
    """Tokens whose keys and values fit; refuses what does not fit."""
    held, load = fit(workload.decoder, system), workload.load(seed)
    longest = int((load.prompt + load.output).max())
    wanted = longest * system.nodes, f"the longest request ({longest} tokens)"
    if overflow == "refuse":
        batch = min(system.max_batch, load.clients or system.max_batch)
        mean = workload.prompt + workload.output
        if batch * mean > longest:
            wanted = batch * mean, f"a batch of {batch} requests of {mean} tokens"
    if wanted[0] > held.kv_tokens:
        needed = held.weight_bytes + wanted[0] / system.nodes * held.kv_bytes_per_token
        room = held.weight_bytes + held.kv_tokens / system.nodes * held.kv_bytes_per_token
        raise DoesNotFit(
            f"{workload.decoder.name}: weights and {wanted[1]} need {needed:.0f} bytes on each of {system.devices} "
            f"devices, {room:.0f} are available"
        )
    return held.kv_tokens


def _rates(decoder: Decoder, system: System) -> Rates:
    together = system.pim != "none" and system.attention_coprocessing and system.sections > 1
    wide = link("infiniband")
    # In several nodes the tokens are gathered and their results summed up on the way to and from other nodes anyway.
    own = system.expert_split == "tensor" and system.nodes == 1 and not system.merged_reduction
    visits = decoder.top_k * decoder.moe_layers
    one = expert(decoder, 1)
    return Rates(
        xpu_flops_per_s=system.xpu_flops_per_s,
        xpu_bytes_per_s=system.xpu_bytes_per_s,
        pim_flops_per_s=system.pim_flops_per_s,
        pim_bytes_per_s=system.pim_bytes_per_s,
        coprocess=float(together),
        layers=float(decoder.layers),
        **asdict(attention(decoder, system)),
        nodes=float(system.nodes),
        tensor=float(system.tensor),
        link_s=system.link_s,
        link_bytes_per_s=system.link_gb_per_s * 1e9,
        node_link_s=wide.latency_s,
        node_link_bytes_per_s=wide.bytes_per_s,
        row_bytes=float(decoder.hidden * BYTES),
        expert_layers=float(decoder.moe_layers),
        reductions=float(2 * decoder.layers + (decoder.moe_layers if own else 0)),
        visits=float(decoder.top_k),
        expert_flops_per_token=float(visits * (one.matrices * one.flops_per_token + one.activation_flops_per_token)),
    )


def _experts(decoder: Decoder, system: System, grid: NDArray[np.int64], counts: NDArray[np.int64]) -> Floats:
    groups, slices = expert_groups(decoder, system)
    allowed = system.pim != "none" and system.offload != "attention"
    return np.asarray(
        experts_table(
            grid, counts, groups, slices,
            np.array(astuple(expert(decoder, slices)), dtype=np.float64),
            np.array([system.xpu_flops_per_s, system.xpu_bytes_per_s]),
            np.array([system.pim_flops_per_s, system.pim_bytes_per_s]) * allowed,
            system.sections, allowed and system.expert_coprocessing,
            decoder.hidden * BYTES, system.stacks,
        )
    )  # fmt: skip
