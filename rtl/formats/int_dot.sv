// Dot products of blocks of integers with one scale a block (MXINT8, MXINT4, NVINT4): beats of two
// blocks and their scales, one FP32 result a packet. Elements are two's complement with two integer
// bits, sign included (OCP MXINT8: Width - 2 fraction bits). The sum of a block is exact.
// Registers by Pipeline: 1 accumulator and result; 2 also behind the adder tree; 3 also behind the
// dequantiser; 4 also at the input. One beat a cycle.
// Source: OCP Microscaling Formats Specification 1.0; engine of arXiv 2510.25602 (INT v.s. FP).
module int_dot #(
    // Bits of an element, even.
    parameter int Width = 8,
    // Elements of a block.
    parameter int Lanes = 32,
    // 1: one tree of all partial products; 0: a tree of products.
    parameter int Merge = 1,
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
    // First block, lane l at [l*Width +: Width].
    input  logic [Lanes*(Width)-1:0] a_i,
    // Second block.
    input  logic [Lanes*(Width)-1:0] b_i,
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
  localparam int VectorWidth = Lanes * (Width);
  localparam int SumWidth = 2 * Width + $clog2(Lanes);
  localparam logic signed [9:0] LowExp = 10'(-2 * (Width - 2));  // two fractions of Width - 2 bits

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

  logic [SumWidth-1:0] sum;
  int_dot_sum #(
      .Width(Width),
      .Lanes(Lanes),
      .Merge(Merge)
  ) u_sum (
      .a_i  (a),
      .b_i  (b),
      .sum_o(sum)
  );

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
      .exp_i      (LowExp),
      .nan_i      (1'b0),
      .scale_a_i  (scale_a),
      .scale_b_i  (scale_b),
      .last_i     (last),
      .out_valid_o(out_valid_o),
      .out_ready_i(out_ready_i),
      .result_o   (result_o)
  );
endmodule
