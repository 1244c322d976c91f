// LUT tensor core, floating-point tables: M x N look-up units for a tile of M x N x Group, one bit plane a cycle.
//
// A beat is one step along the reduction: a table for each of M rows, and Group weights for N columns. It takes
// WeightBits cycles; `last_i` ends a sum, whose M x N results are one output beat.
// Throughput M*N*Group multiply-accumulates per WeightBits cycles; latency 1 + Pipeline cycles after the last
// plane, one more with InputRegister = 1.
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), sections 3.2 and 4.
module lut_core_fp #(
  parameter int TileM = 2,            // rows: tables
  parameter int TileN = 4,            // columns of weights
  parameter int Group = 4,            // activations behind one table: the tile's K
  parameter int ExpWidth = 5,         // of the tables' format: FP16, BF16 (8, 7)
  parameter int ManWidth = 10,        // of the tables' format
  parameter int AccExpWidth = 5,      // of the accumulators' format: the tables', or FP32 (8, 23)
  parameter int AccManWidth = 10,     // of the accumulators' format
  parameter int WeightBits = 2,       // bits of a weight, 1 to 4
  parameter int OfflineNegation = 1,  // stored index bits are inverted where the sign bit is clear
  parameter int Pipeline = 0,         // 1: a register after the look-up
  parameter int InputRegister = 0,    // 1: tables and weights are held here
  parameter int Width = 1 + ExpWidth + ManWidth,           // derived, do not set
  parameter int AccWidth = 1 + AccExpWidth + AccManWidth,  // derived, do not set
  parameter int RowWidth = 2 ** (Group - 1) * Width        // derived, do not set
) (
  input  logic                              clk_i,        // clock
  input  logic                              rst_ni,       // synchronous reset, active low
  input  logic                              in_valid_i,   // a beat is offered
  output logic                              in_ready_o,   // it is taken
  input  logic [TileM*RowWidth-1:0]         table_i,      // tables by row, entry
  input  logic [TileN*Group*WeightBits-1:0] weights_i,    // by column, plane: Group bits each
  input  logic                              last_i,       // the beat ends its sum
  output logic                              out_valid_o,  // sums are offered
  input  logic                              out_ready_i,  // they are taken
  output logic [TileM*TileN*AccWidth-1:0]   acc_o         // sums by row, column
);
  localparam int PlaneWidth = (WeightBits > 1) ? $clog2(WeightBits) : 1;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (WeightBits < 1 || WeightBits > 4) begin : gen_bad_weight
    $error("WeightBits must be 1 to 4, got %0d", WeightBits);
  end
  if (Group < 2 || Group > 6) begin : gen_bad_group
    $error("Group must be 2 to 6, got %0d", Group);
  end
  if (AccExpWidth < ExpWidth || AccManWidth < ManWidth) begin : gen_bad_acc
    $error("the accumulators' format must hold the tables'");
  end
`endif

  // The beat in use, and control; see there for stalls.
  logic [TileM*RowWidth-1:0] operands;
  logic [TileN*Group*WeightBits-1:0] weights;
  logic move, step, first;
  logic [PlaneWidth-1:0] plane;
  lut_sequence #(
    .WeightBits   (WeightBits),
    .Pipeline     (Pipeline),
    .Width        (TileM*RowWidth + TileN*Group*WeightBits),
    .InputRegister(InputRegister)
  ) i_sequence (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .data_i ({weights_i, table_i}),
    .last_i,
    .data_o ({weights, operands}),
    .move_o (move),
    .step_o (step),
    .first_o(first),
    .plane_o(plane),
    .out_valid_o,
    .out_ready_i
  );

  for (genvar n = 0; n < TileN; n++) begin : gen_column
    // This plane's bits of the column, shared by its rows.
    wire [WeightBits*Group-1:0] planes = weights[n*WeightBits*Group+:WeightBits*Group];
    wire [Group-1:0] bits = (WeightBits > 1) ? planes[plane*Group+:Group] : planes[Group-1:0];
    for (genvar m = 0; m < TileM; m++) begin : gen_row
      lut_pe_fp #(
        .Group          (Group),
        .ExpWidth       (ExpWidth),
        .ManWidth       (ManWidth),
        .AccExpWidth    (AccExpWidth),
        .AccManWidth    (AccManWidth),
        .WeightBits     (WeightBits),
        .OfflineNegation(OfflineNegation),
        .Pipeline       (Pipeline)
      ) i_pe (
        .clk_i,
        .move_i (move),
        .step_i (step),
        .first_i(first),
        .plane_i(plane),
        .table_i(operands[m*RowWidth+:RowWidth]),
        .bits_i (bits),
        .acc_o  (acc_o[(m*TileN+n)*AccWidth+:AccWidth])
      );
    end
  end
endmodule
