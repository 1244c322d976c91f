// Dot products of blocks of small floating-point numbers with one scale a block (MXFP8, MXFP4,
// NVFP4): beats of two blocks and their scales, one FP32 result a packet. Products of a block are
// aligned once, in AlignWidth bits (fp_dot_sum), and rounded once, to FP32 (block_scale).
// Registers by Pipeline: 1 accumulator and result; 2 also behind the adder tree; 3 also behind the
// dequantiser; 4 also at the input. One beat a cycle.
// Source: OCP Microscaling Formats Specification 1.0; engine of arXiv 2510.25602 (INT v.s. FP) with
// its AlignWidth of min(2**(ExpWidth + 1) + 2 ManWidth, 24).
module fp_dot #(
    // Bits of an element's exponent.
    parameter int ExpWidth = 4,
    // Bits of an element's mantissa.
    parameter int ManWidth = 3,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 1,
    // Elements of a block.
    parameter int Lanes = 32,
    // Bits products are aligned in.
    parameter int AlignWidth = 24,
    // 0: UE8M0 scales; 1: E4M3 scales.
    parameter int Scale = 0,
    // 1: subnormal FP32 results and sums; 0: they are zero.
    parameter int Subnormals = 1,
    // Registers, 1 to 4.
    parameter int Pipeline = 2
) (
    // Clock.
    input  logic clk_i,
    // Synchronous reset, active low.
    input  logic rst_ni,
    // A beat is offered.
    input  logic in_valid_i,
    // It is taken.
    output logic in_ready_o,
    // First block, lane l at [l*1+ExpWidth+ManWidth +: 1+ExpWidth+ManWidth].
    input  logic [Lanes*(1+ExpWidth+ManWidth)-1:0] a_i,
    // Second block.
    input  logic [Lanes*(1+ExpWidth+ManWidth)-1:0] b_i,
    // Scale of the first block.
    input  logic [7:0] scale_a_i,
    // Scale of the second block.
    input  logic [7:0] scale_b_i,
    // The packet ends with this beat.
    input  logic last_i,
    // A result is there.
    output logic out_valid_o,
    // It is taken.
    input  logic out_ready_i,
    // Sum of the packet's products, FP32.
    output logic [31:0] result_o
);
  localparam int VectorWidth = Lanes * (1+ExpWidth+ManWidth);
  localparam int SumWidth = AlignWidth + $clog2(Lanes) + 1;
  localparam int LowBase = 2 - AlignWidth - 2 * (2 ** (ExpWidth - 1) - 1);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 4) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 4, got %0d", Pipeline);
  end
`endif

  logic valid, ready, last;
  logic [VectorWidth-1:0] a, b;
  logic [7:0] scale_a, scale_b;
  optional_register #(
      .Width     (2 * VectorWidth + 17),
      .Registered(32'(Pipeline > 3))
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({a_i, b_i, scale_a_i, scale_b_i, last_i}),
      .valid_o(valid),
      .ready_i(ready),
      .data_o ({a, b, scale_a, scale_b, last})
  );

  logic nan;
  logic [ExpWidth:0] max_exp;
  logic [SumWidth-1:0] sum;
  logic signed [9:0] low_exp;
  fp_dot_sum #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Lanes     (Lanes),
      .AlignWidth(AlignWidth)
  ) u_sum (
      .a_i  (a),
      .b_i  (b),
      .sum_o(sum),
      .exp_o(max_exp),
      .nan_o(nan)
  );
  assign low_exp = $signed(10'(max_exp)) + 10'(LowBase);

  block_finish #(
      .SumWidth  (SumWidth),
      .Scale     (Scale),
      .Subnormals(Subnormals),
      .Pipeline  ((Pipeline > 3) ? 3 : Pipeline)
  ) u_finish (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .in_valid_i (valid),
      .in_ready_o (ready),
      .sum_i      (sum),
      .exp_i      (low_exp),
      .nan_i      (nan),
      .scale_a_i  (scale_a),
      .scale_b_i  (scale_b),
      .last_i     (last),
      .out_valid_o(out_valid_o),
      .out_ready_i(out_ready_i),
      .result_o   (result_o)
  );
endmodule
