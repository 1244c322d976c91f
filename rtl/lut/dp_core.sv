// M x N dot-product units on a tile of M x N x K, with multipliers or bit-serial adders: what a LUT core competes with.
//
// A beat is one step along the reduction; it takes 1 cycle (Serial = 0) or WeightWidth cycles (Serial = 1). `last_i`
// ends a sum, whose M x N results are one output beat, a cycle later (two with InputRegister = 1).
// Source: the MAC and ADD units of LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 4.2.
module dp_core #(
  parameter int TileM = 1,        // rows of activations
  parameter int TileN = 1,        // columns of weights
  parameter int TileK = 4,        // products of a beat and unit
  parameter int ActWidth = 8,     // bits of an activation, signed
  parameter int WeightWidth = 8,  // bits of a weight
  parameter int AccWidth = 32,    // bits of an accumulator
  parameter int Serial = 0,       // 0: multipliers; 1: one bit plane a cycle
  parameter int InputRegister = 0 // 1: operands are held here
) (
  input  logic                               clk_i,        // clock
  input  logic                               rst_ni,       // synchronous reset, active low
  input  logic                               in_valid_i,   // a beat is offered
  output logic                               in_ready_o,   // it is taken
  input  logic [TileM*TileK*ActWidth-1:0]    acts_i,       // activations by row
  input  logic [TileN*TileK*WeightWidth-1:0] weights_i,    // weights by column; serial: by column and plane
  input  logic                               last_i,       // the beat ends its sum
  output logic                               out_valid_o,  // sums are offered
  input  logic                               out_ready_i,  // they are taken
  output logic [TileM*TileN*AccWidth-1:0]    acc_o         // sums by row, column
);
  localparam int Planes = (Serial != 0) ? WeightWidth : 1;
  localparam int PlaneWidth = (WeightWidth > 1) ? $clog2(WeightWidth) : 1;
  localparam int SequenceWidth = (Planes > 1) ? $clog2(Planes) : 1;
  localparam int BitsWidth = (Serial != 0) ? TileK : TileK * WeightWidth;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (AccWidth < ActWidth + WeightWidth + $clog2(TileK + 1)) begin : gen_bad_acc
    $error("AccWidth %0d cannot hold one beat's sum", AccWidth);
  end
`endif

  // The beat in use, and control; see there for stalls.
  logic [TileM*TileK*ActWidth-1:0] acts;
  logic [TileN*TileK*WeightWidth-1:0] operands;
  logic move, step, first;
  logic [SequenceWidth-1:0] sequence_plane;
  lut_sequence #(
    .WeightBits   (Planes),
    .Width        (TileM*TileK*ActWidth + TileN*TileK*WeightWidth),
    .InputRegister(InputRegister)
  ) i_sequence (
    .clk_i,
    .rst_ni,
    .in_valid_i,
    .in_ready_o,
    .data_i ({weights_i, acts_i}),
    .last_i,
    .data_o ({operands, acts}),
    .move_o (move),
    .step_o (step),
    .first_o(first),
    .plane_o(sequence_plane),
    .out_valid_o,
    .out_ready_i
  );

  wire [PlaneWidth-1:0] plane = PlaneWidth'(sequence_plane);
  wire unused = &{1'b0, move};

  for (genvar n = 0; n < TileN; n++) begin : gen_column
    // This plane's bits, shared by the rows of the column.
    wire [TileK*WeightWidth-1:0] weights = operands[n*TileK*WeightWidth+:TileK*WeightWidth];
    wire [BitsWidth-1:0] bits = (Planes > 1) ? weights[plane*BitsWidth+:BitsWidth] : weights[BitsWidth-1:0];
    for (genvar m = 0; m < TileM; m++) begin : gen_row
      dp_pe #(
        .Lanes      (TileK),
        .ActWidth   (ActWidth),
        .WeightWidth(WeightWidth),
        .AccWidth   (AccWidth),
        .Serial     (Serial)
      ) i_pe (
        .clk_i,
        .step_i (step),
        .first_i(first),
        .plane_i(plane),
        .acts_i (acts[m*TileK*ActWidth+:TileK*ActWidth]),
        .bits_i (bits),
        .acc_o  (acc_o[(m*TileN+n)*AccWidth+:AccWidth])
      );
    end
  end
endmodule
