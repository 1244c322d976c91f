// Look-up unit of the LUT tensor core for floating-point tables: mux, sign, scale by the bit plane, accumulate.
//
// acc <= (first_i ? 0 : acc) + (+-entry) * 2**plane_i, rounded to nearest even; subnormals are zero.
// Latency 1 cycle (2 with Pipeline = 1: a register between look-up and accumulator).
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 3.2, and its RTL (microsoft/T-MAC, branch
// LUTTensorCore_ISCA25), whose pipelined version scales twice.
module lut_pe_fp #(
  parameter int Group = 4,            // index bits, sign included
  parameter int ExpWidth = 5,         // of the tables' format
  parameter int ManWidth = 10,        // of the tables' format
  parameter int AccExpWidth = 5,      // of the accumulator's format
  parameter int AccManWidth = 10,     // of the accumulator's format
  parameter int WeightBits = 2,       // bit planes of a weight
  parameter int OfflineNegation = 1,  // index bits come inverted where the sign bit is clear
  parameter int Pipeline = 0,         // 1: a register after the look-up
  parameter int Width = 1 + ExpWidth + ManWidth,                         // derived, do not set
  parameter int AccWidth = 1 + AccExpWidth + AccManWidth,                // derived, do not set
  parameter int Entries = 2 ** (Group - 1),                              // derived, do not set
  parameter int PlaneWidth = (WeightBits > 1) ? $clog2(WeightBits) : 1   // derived, do not set
) (
  input  logic                     clk_i,    // clock
  input  logic                     move_i,   // the pipeline moves (no stall)
  input  logic                     step_i,   // this cycle's look-up counts
  input  logic                     first_i,  // it begins a new sum
  input  logic [PlaneWidth-1:0]    plane_i,  // weight of the bit plane, log2
  input  logic [Entries*Width-1:0] table_i,  // entry i at [i*Width +: Width]
  input  logic [Group-1:0]         bits_i,   // this plane's bits
  output logic [AccWidth-1:0]      acc_o     // the sum so far
);
  wire [Group-2:0] index = (OfflineNegation != 0 || bits_i[Group-1]) ? bits_i[Group-2:0] : ~bits_i[Group-2:0];
  wire [Width-1:0] entry = table_i[index*Width+:Width];
  wire [Width-1:0] signed_entry = {entry[Width-1] ^ !bits_i[Group-1], entry[Width-2:0]};

  logic step, first;
  logic [PlaneWidth-1:0] plane;
  logic [Width-1:0] found;
  if (Pipeline != 0) begin : gen_pipeline
    always_ff @(posedge clk_i) begin
      if (move_i) begin
        step <= step_i;
        first <= first_i;
        plane <= plane_i;
        found <= signed_entry;
      end
    end
  end else begin : gen_direct
    assign step = step_i;
    assign first = first_i;
    assign plane = plane_i;
    assign found = signed_entry;
  end

  // Widened first: what overflows the tables' format need not overflow the accumulator's.
  logic [AccWidth-1:0] wide, term, augend, sum, acc_q;
  if (AccWidth == Width) begin : gen_same
    assign wide = found;
  end else begin : gen_wider
    fp_widen #(
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .ExpOutWidth(AccExpWidth),
      .ManOutWidth(AccManWidth)
    ) i_widen (
      .word_i(found),
      .word_o(wide)
    );
  end
  if (WeightBits > 1) begin : gen_scale
    fp_scale #(
      .ExpWidth  (AccExpWidth),
      .ManWidth  (AccManWidth),
      .ShiftWidth(PlaneWidth)
    ) i_scale (
      .word_i (wide),
      .shift_i(plane),
      .word_o (term)
    );
  end else begin : gen_one_plane
    wire unused = &{1'b0, plane};
    assign term = wide;
  end
  assign augend = first ? '0 : acc_q;
  fp_add #(
    .ExpWidth  (AccExpWidth),
    .ManWidth  (AccManWidth),
    .Subnormals(0)
  ) i_add (
    .a_i     (augend),
    .b_i     (term),
    .result_o(sum)
  );
  always_ff @(posedge clk_i) begin
    if (step && move_i) acc_q <= sum;
  end
  assign acc_o = acc_q;
endmodule
