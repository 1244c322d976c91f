// Stream of L-Mul products (l_mul).
// Latency Pipeline cycles, one beat a cycle. Registers by Pipeline: 1 output; 2 also at the
// input.
module l_mul_stream #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Mantissa bits of the adder.
    parameter int KeptBits = ManWidth,
    // How operands are cut: 0 to nearest even, 1 towards zero.
    parameter int InputRound = 0,
    // l of the offset 2**-l: 1 to KeptBits; 0: no offset.
    parameter int OffsetShift = 4,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0,
    // Registers, 1 to 2.
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
    output logic [ExpWidth+ManWidth:0] result_o
);
  localparam int WordWidth = 1 + ExpWidth + ManWidth;

  logic a_valid, a_ready;
  logic [WordWidth-1:0] a, b, result;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 2) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 2, got %0d", Pipeline);
  end
`endif

  optional_register #(
      .Width     (2 * WordWidth),
      .Registered(32'(Pipeline > 1))
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
  l_mul #(
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .Specials   (Specials),
      .KeptBits   (KeptBits),
      .InputRound (InputRound),
      .OffsetShift(OffsetShift),
      .Saturate   (Saturate)
  ) u_multiply (
      .a_i     (a),
      .b_i     (b),
      .result_o(result)
  );
  optional_register #(
      .Width     (WordWidth),
      .Registered(1)
  ) u_output (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(a_valid),
      .ready_o(a_ready),
      .data_i (result),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (result_o)
  );
endmodule
