// LUT tensor core, integer tables: M x N look-up units for a tile of M x N x K, weights one bit plane a cycle.
//
// A beat is one step along the reduction: tables (or activations) of K activations for M rows, and K weights for N
// columns. It takes WeightBits cycles; `last_i` ends a sum, whose M x N results are one output beat.
// Throughput M*N*K multiply-accumulates per WeightBits cycles; latency 1 + Pipeline cycles after the last
// plane, one more with InputRegister = 1.
// Columns share tables along N, rows share weights along M: hence the elongated tiles (M2 N64 K4) of the paper.
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), sections 3.2 and 4.
module lut_core #(
  parameter int TileM = 2,            // rows: tables
  parameter int TileN = 4,            // columns of weights
  parameter int TileK = 4,            // activations of a beat, a multiple of Group
  parameter int Group = 4,            // activations behind one table
  parameter int ActWidth = 8,         // bits of an activation
  parameter int WeightBits = 2,       // bits of a weight, 1 to 4
  parameter int AccWidth = 32,        // bits of an accumulator
  parameter int Symmetric = 1,        // half tables of +1/-1 weights; 0: full tables, two's complement
  parameter int OfflineNegation = 1,  // stored index bits are inverted where the sign bit is clear
  parameter int Precompute = 0,       // 1: tables are computed here, table_i carries activations
  parameter int Pipeline = 0,         // 1: a register after the look-up
  parameter int InputRegister = 0,    // 1: tables and weights are held here
  parameter int Groups = TileK / Group,  // derived, do not set
  parameter int Entries = (Symmetric != 0) ? 2 ** (Group - 1) : 2 ** Group,  // derived, do not set
  parameter int EntryWidth = ActWidth + $clog2(Group),  // derived, do not set
  parameter int RowWidth = Groups * Entries * EntryWidth,  // derived, do not set
  parameter int InWidth = (Precompute != 0) ? TileM * TileK * ActWidth : TileM * RowWidth  // derived, do not set
) (
  input  logic                              clk_i,        // clock
  input  logic                              rst_ni,       // synchronous reset, active low
  input  logic                              in_valid_i,   // a beat is offered
  output logic                              in_ready_o,   // it is taken
  input  logic [InWidth-1:0]                table_i,      // tables by row, group, entry; or activations by row
  input  logic [TileN*TileK*WeightBits-1:0] weights_i,    // by column, group, plane: Group bits each
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
  if (TileK % Group != 0 || TileK == 0) begin : gen_bad_tile
    $error("TileK must be a multiple of Group (%0d), got %0d", Group, TileK);
  end
  if (Symmetric == 0 && OfflineNegation != 0) begin : gen_bad_negation
    $error("OfflineNegation needs half tables (Symmetric 1)");
  end
  if (AccWidth < EntryWidth + WeightBits + $clog2(Groups + 1)) begin : gen_bad_acc
    $error("AccWidth %0d cannot hold one beat's sum", AccWidth);
  end
`endif

  // The beat in use, and control; see there for stalls.
  logic [InWidth-1:0] operands;
  logic [TileN*TileK*WeightBits-1:0] weights;
  logic move, step, first;
  logic [PlaneWidth-1:0] plane;
  lut_sequence #(
    .WeightBits   (WeightBits),
    .Pipeline     (Pipeline),
    .Width        (InWidth + TileN*TileK*WeightBits),
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

  // Tables: from outside, or from the activations.
  logic [TileM*RowWidth-1:0] tables;
  if (Precompute != 0) begin : gen_tables
    for (genvar t = 0; t < TileM * Groups; t++) begin : gen_table
      lut_table_int #(
        .ActWidth (ActWidth),
        .Group    (Group),
        .Symmetric(Symmetric)
      ) i_table (
        .acts_i (operands[t*Group*ActWidth+:Group*ActWidth]),
        .table_o(tables[t*Entries*EntryWidth+:Entries*EntryWidth])
      );
    end
  end else begin : gen_given
    assign tables = operands;
  end

  for (genvar n = 0; n < TileN; n++) begin : gen_column
    // This plane's bits of the column, shared by its rows.
    logic [Groups*Group-1:0] bits;
    for (genvar g = 0; g < Groups; g++) begin : gen_bits
      wire [WeightBits*Group-1:0] planes = weights[(n*Groups+g)*WeightBits*Group+:WeightBits*Group];
      assign bits[g*Group+:Group] = (WeightBits > 1) ? planes[plane*Group+:Group] : planes[Group-1:0];
    end
    for (genvar m = 0; m < TileM; m++) begin : gen_row
      lut_pe #(
        .Groups         (Groups),
        .Group          (Group),
        .EntryWidth     (EntryWidth),
        .WeightBits     (WeightBits),
        .AccWidth       (AccWidth),
        .Symmetric      (Symmetric),
        .OfflineNegation(OfflineNegation),
        .Pipeline       (Pipeline)
      ) i_pe (
        .clk_i,
        .move_i (move),
        .step_i (step),
        .first_i(first),
        .plane_i(plane),
        .table_i(tables[m*RowWidth+:RowWidth]),
        .bits_i (bits),
        .acc_o  (acc_o[(m*TileN+n)*AccWidth+:AccWidth])
      );
    end
  end
endmodule
