// Stream of floating-point products (fp_mul).
// Latency Pipeline cycles, one beat a cycle. Registers by Pipeline: 1 output; 2 also between the
// halves; 3 also at the input.
module fp_mul_stream #(
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
    // Registers, 1 to 3.
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
    // A result is there.
    output logic out_valid_o,
    // It is taken.
    input  logic out_ready_i,
    // The result.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int WordWidth = 1 + ExpWidth + ManWidth;
  localparam int BundleWidth = ExpWidth + 2 * ManWidth + 6;

  logic a_valid, a_ready, m_valid, m_ready;
  logic [WordWidth-1:0] a, b;
  logic [BundleWidth-1:0] bundle, bundle_m;
  logic [OutExpWidth+OutManWidth:0] result;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 3) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 3, got %0d", Pipeline);
  end
`endif

  optional_register #(
      .Width     (2 * WordWidth),
      .Registered(32'(Pipeline > 2))
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({a_i, b_i}),
      .valid_o(a_valid),
      .ready_i(a_ready),
      .data_o ({a, b})
  );
  fp_mul_front #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_front (
      .a_i     (a),
      .b_i     (b),
      .bundle_o(bundle)
  );
  optional_register #(
      .Width     (BundleWidth),
      .Registered(32'(Pipeline > 1))
  ) u_middle (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(a_valid),
      .ready_o(a_ready),
      .data_i (bundle),
      .valid_o(m_valid),
      .ready_i(m_ready),
      .data_o (bundle_m)
  );
  fp_mul_back #(
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .OutExpWidth(OutExpWidth),
      .OutManWidth(OutManWidth),
      .OutSpecials(OutSpecials),
      .Subnormals (Subnormals),
      .Round      (Round),
      .Saturate   (Saturate)
  ) u_back (
      .bundle_i(bundle_m),
      .result_o(result)
  );
  optional_register #(
      .Width     (1 + OutExpWidth + OutManWidth),
      .Registered(1)
  ) u_output (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(m_valid),
      .ready_o(m_ready),
      .data_i (result),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (result_o)
  );
endmodule
