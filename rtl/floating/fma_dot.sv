// Dot products by one multiply-add chain element fed back on itself: a packet of (a, b) beats, the
// last one marked, gives one result. The running sum stays un-normalised (fma_accumulate); it is
// normalised exactly and rounded once when the packet is over (fma_normalise). One beat a cycle.
// Registers by Pipeline: 1 running sum and final sum; 2 also behind the multiplier; 3 also at the
// input. Latency Pipeline cycles after the last beat; rounding follows the final sum's register.
module fma_dot #(
    // Bits of the factors' exponents.
    parameter int ExpWidth = 8,
    // Bits of the factors' mantissas.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Bits of the exponent of the result.
    parameter int OutExpWidth = 8,
    // Bits of the mantissa of the result.
    parameter int OutManWidth = 23,
    // As Specials, of the result.
    parameter int OutSpecials = 0,
    // 1: subnormal numbers; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0,
    // Bits of the partial sum's significand.
    parameter int SumWidth = 16,
    // Normalisation of the partial sum: 0 none, 1 approximate, 2 exact.
    parameter int Normalise = 1,
    // k of approximate normalisation.
    parameter int NormK = 1,
    // Lambda of approximate normalisation.
    parameter int NormLambda = 1,
    // Registers, 1 to 3.
    parameter int Pipeline = 1
) (
    // Clock.
    input  logic                             clk_i,
    // Synchronous reset, active low.
    input  logic                             rst_ni,
    // A beat is offered.
    input  logic                             in_valid_i,
    // It is taken.
    output logic                             in_ready_o,
    // First factor.
    input  logic [      ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [      ExpWidth+ManWidth:0] b_i,
    // The packet ends with this beat.
    input  logic                             last_i,
    // A result is there.
    output logic                             out_valid_o,
    // It is taken.
    input  logic                             out_ready_i,
    // Sum of the packet's products.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int WordWidth = 1 + ExpWidth + ManWidth;
  localparam int PsumWidth = ExpWidth + SumWidth + 5;
  localparam int ProductWidth = ExpWidth + 2 * ManWidth + 6;
  // Plus zero, with the smallest exponent.
  localparam logic [PsumWidth-1:0] Empty = PsumWidth'(1) << (SumWidth + ExpWidth + 1);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 3) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 3, got %0d", Pipeline);
  end
`endif

  logic a_valid, a_ready, a_last, p_valid, p_ready, p_last;
  logic [WordWidth-1:0] a, b;
  logic [ProductWidth-1:0] product, product_p;
  optional_register #(
      .Width     (2 * WordWidth + 1),
      .Registered(32'(Pipeline > 2))
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({a_i, b_i, last_i}),
      .valid_o(a_valid),
      .ready_i(a_ready),
      .data_o ({a, b, a_last})
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
      .Width     (ProductWidth + 1),
      .Registered(32'(Pipeline > 1))
  ) u_middle (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(a_valid),
      .ready_o(a_ready),
      .data_i ({product, a_last}),
      .valid_o(p_valid),
      .ready_i(p_ready),
      .data_o ({product_p, p_last})
  );

  // The running sum waits only for room behind a last beat.
  logic [PsumWidth-1:0] sum_q, sum_now, sum_next, sum_final;
  logic first_q, done_ready, take;
  assign sum_now = first_q ? Empty : sum_q;
  assign p_ready = !p_last || done_ready;
  assign take = p_valid && p_ready;
  fma_accumulate #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .SumWidth  (SumWidth),
      .Normalise (Normalise),
      .NormK     (NormK),
      .NormLambda(NormLambda)
  ) u_accumulate (
      .product_i(product_p),
      .sum_i    (sum_now),
      .sum_o    (sum_next)
  );
  always_ff @(posedge clk_i) begin
    if (!rst_ni) first_q <= 1'b1;
    else if (take) first_q <= p_last;
  end
  always_ff @(posedge clk_i) begin
    if (take) sum_q <= sum_next;
  end

  optional_register #(
      .Width     (PsumWidth),
      .Registered(1)
  ) u_final (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(p_valid && p_last),
      .ready_o(done_ready),
      .data_i (sum_next),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (sum_final)
  );
  fma_normalise #(
      .ExpWidth   (ExpWidth),
      .SumWidth   (SumWidth),
      .OutExpWidth(OutExpWidth),
      .OutManWidth(OutManWidth),
      .OutSpecials(OutSpecials),
      .Subnormals (Subnormals),
      .Round      (Round),
      .Saturate   (Saturate)
  ) u_normalise (
      .sum_i   (sum_final),
      .result_o(result_o)
  );
endmodule
