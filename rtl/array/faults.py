"""Faults planted in the arrays; the benches must notice each."""

from __future__ import annotations

from collections.abc import Mapping

from archgym.rtl.block import Mutation

__all__ = ["FAULTS"]

_RESULTS = (
    Mutation(
        "array/tile_control.sv",
        "assign hold    = busy_q & ((ResultBuffer == 0) | held_last);",
        "assign hold    = 1'b0;",
        "results that are still being read are overwritten",
    ),
    Mutation(
        "array/tile_control.sv",
        "assign b_o     = held_b & {BWidth{step}};",
        "assign b_o     = held_b;",
        "idle cycles add the operands that wait",
    ),
    Mutation(
        "array/tile_control.sv",
        "wait_q <= CountWidth'(Latency - 1);",
        "wait_q <= CountWidth'(Latency - 2);",
        "results are read a cycle before they are complete",
    ),
)

_WEIGHT_SUMS = (
    Mutation(
        "array/bit_weight_sums.sv",
        "TreeWidth'({~value[Width], value[Width-1:0]});",
        "TreeWidth'({2'b0, ~value[Width], value[Width-1:0]} & {TreeWidth{k != Depth - 1}});",
        "the last lane of a bit weight is left out",
    ),
    Mutation(
        "array/bit_weight_sums.sv",
        "assign words_o[2*j*TreeWidth+:2*TreeWidth] = {carry, sum};",
        "logic [TreeWidth-2:0] total;\n    assign total = sum[TreeWidth-2:0] + carry[TreeWidth-2:0];\n"
        "    assign words_o[2*j*TreeWidth+:2*TreeWidth] = (2*TreeWidth)'(total);",
        "trees of a bit weight are a bit too narrow, as published",
    ),
)

FAULTS: Mapping[str, tuple[Mutation, ...]] = {
    "systolic_os": (
        *_RESULTS,
        Mutation("array/systolic_os_pe.sv", "assign b_o     = b_q;", "assign b_o     = b_i;", "b skips a register"),
        Mutation("array/skew.sv", "Lanes - 1 - l : l;", "Lanes - 1 - l : Lanes - 1 - l;", "lanes lean the wrong way"),
    ),
    "systolic_ws": (
        Mutation("array/systolic_ws.sv", "Rows + Cols - 2 - WeightBuffer;", "1;", "weights move under the last sums"),
        Mutation(
            "array/stall_output.sv",
            "assign pass  = ~valid_q | ready_i;",
            "assign pass  = 1'b1;",
            "results that nobody took are overwritten",
        ),
        Mutation(
            "array/systolic_ws_pe.sv",
            "if (enable_i && swap_i) weight_q",
            "if (enable_i) weight_q",
            "weights are used as they are loaded",
        ),
        Mutation(
            "array/systolic_ws.sv",
            "+ 1 + 2 * CarrySave;",
            "+ 2 + 2 * CarrySave;",
            "sums are offered a cycle late",
        ),
    ),
    "matrix2d": (
        *_RESULTS,
        Mutation("array/column_read.sv", "row_q <= row_q << 1;", "row_q <= row_q;", "every row that is read is row 0"),
    ),
    "cube": (*_RESULTS, *_WEIGHT_SUMS),
    "adder_tree": (
        *_RESULTS,
        *_WEIGHT_SUMS,
        Mutation(
            "array/edge_adders.sv",
            "high_sum_q + high_carry_q + High'(low_q[Low])",
            "high_sum_q + high_carry_q",
            "the carry between halves is lost",
        ),
    ),
}
