// Stream of fused multiply-adds (fp_fma).
// Latency Pipeline cycles, one beat a cycle. Registers by Pipeline: 1 output; 2 also behind the
// multiplier; 3 also before rounding; 4 also at the input.
module fp_fma_stream #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Bits of the exponent of the result.
    parameter int OutExpWidth = ExpWidth,
    // Bits of the mantissa of the result.
    parameter int OutManWidth = ManWidth,
    // As Specials, of the result.
    parameter int OutSpecials = Specials,
    // 1: subnormal numbers; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0,
    // Registers, 1 to 4.
    parameter int Pipeline = 1
) (
    // Clock.
    input  logic clk_i,
    // Synchronous reset, active low.
    input  logic rst_ni,
    // A beat is offered.
    input  logic in_valid_i,
    // It is taken.
    output logic in_ready_o,
    // First factor.
    input  logic [ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [ExpWidth+ManWidth:0] b_i,
    // Addend.
    input  logic [OutExpWidth+OutManWidth:0] c_i,
    // A result is there.
    output logic out_valid_o,
    // It is taken.
    input  logic out_ready_i,
    // The result.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int WordWidth = 1 + ExpWidth + ManWidth;
  localparam int OutWidth = 1 + OutExpWidth + OutManWidth;
  localparam int ProductWidth = ExpWidth + 2 * ManWidth + 6;
  localparam int SumExpWidth = ((ExpWidth > OutExpWidth) ? ExpWidth : OutExpWidth) + 2;
  localparam int SumWidth =
      ((2 * ManWidth + 2 > OutManWidth + 1) ? 2 * ManWidth + 2 : OutManWidth + 1) + 4;
  localparam int BundleWidth = SumExpWidth + SumWidth + 3;

  logic a_valid, a_ready, p_valid, p_ready, s_valid, s_ready;
  logic [WordWidth-1:0] a, b;
  logic [OutWidth-1:0] c, c_p, result;
  logic [ProductWidth-1:0] product, product_p;
  logic [BundleWidth-1:0] sum, sum_m;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 4) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 4, got %0d", Pipeline);
  end
`endif

  optional_register #(
      .Width     (2 * WordWidth + OutWidth),
      .Registered(32'(Pipeline > 3))
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({a_i, b_i, c_i}),
      .valid_o(a_valid),
      .ready_i(a_ready),
      .data_o ({a, b, c})
  );
  fp_mul_front #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_product (
      .a_i     (a),
      .b_i     (b),
      .bundle_o(product)
  );
  optional_register #(
      .Width     (ProductWidth + OutWidth),
      .Registered(32'(Pipeline > 1))
  ) u_product_stage (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(a_valid),
      .ready_o(a_ready),
      .data_i ({product, c}),
      .valid_o(p_valid),
      .ready_i(p_ready),
      .data_o ({product_p, c_p})
  );
  fp_fma_align #(
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .OutExpWidth(OutExpWidth),
      .OutManWidth(OutManWidth),
      .OutSpecials(OutSpecials),
      .Subnormals (Subnormals)
  ) u_align (
      .product_i(product_p),
      .c_i      (c_p),
      .bundle_o (sum)
  );
  optional_register #(
      .Width     (BundleWidth),
      .Registered(32'(Pipeline > 2))
  ) u_sum_stage (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(p_valid),
      .ready_o(p_ready),
      .data_i (sum),
      .valid_o(s_valid),
      .ready_i(s_ready),
      .data_o (sum_m)
  );
  fp_add_back #(
      .ExpWidth   (OutExpWidth),
      .ManWidth   (OutManWidth),
      .Specials   (OutSpecials),
      .Subnormals (Subnormals),
      .Round      (Round),
      .Saturate   (Saturate),
      .SumExpWidth(SumExpWidth),
      .SumWidth   (SumWidth)
  ) u_back (
      .bundle_i(sum_m),
      .result_o(result)
  );
  optional_register #(
      .Width     (OutWidth),
      .Registered(1)
  ) u_output (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(s_valid),
      .ready_o(s_ready),
      .data_i (result),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (result_o)
  );
endmodule
