// An element of a multiply-add chain, as in a column of a weight-stationary array: product of a and
// b onto the partial sum (fma_accumulate has its fields and the normalisation). A stream of
// {a, b, sum}. Latency Pipeline cycles, one beat a cycle.
// Registers by Pipeline: 1 output; 2 also behind the multiplier; 3 also at the input.
module fma_pe #(
    // Bits of the factors' exponents.
    parameter int ExpWidth = 8,
    // Bits of the factors' mantissas.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormal factors count; 0: they are zero.
    parameter int Subnormals = 1,
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
    input  logic                         clk_i,
    // Synchronous reset, active low.
    input  logic                         rst_ni,
    // A beat is offered.
    input  logic                         in_valid_i,
    // It is taken.
    output logic                         in_ready_o,
    // First factor.
    input  logic [  ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [  ExpWidth+ManWidth:0] b_i,
    // Partial sum of the elements before.
    input  logic [ExpWidth+SumWidth+4:0] sum_i,
    // A partial sum is there.
    output logic                         out_valid_o,
    // It is taken.
    input  logic                         out_ready_i,
    // Partial sum with this element's product.
    output logic [ExpWidth+SumWidth+4:0] sum_o
);
  localparam int WordWidth = 1 + ExpWidth + ManWidth;
  localparam int PsumWidth = ExpWidth + SumWidth + 5;
  localparam int ProductWidth = ExpWidth + 2 * ManWidth + 6;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Pipeline < 1 || Pipeline > 3) begin : gen_bad_pipeline
    $error("Pipeline must be 1 to 3, got %0d", Pipeline);
  end
`endif

  logic a_valid, a_ready, p_valid, p_ready;
  logic [WordWidth-1:0] a, b;
  logic [PsumWidth-1:0] sum_a, sum_p, sum_next;
  logic [ProductWidth-1:0] product, product_p;
  optional_register #(
      .Width     (2 * WordWidth + PsumWidth),
      .Registered(32'(Pipeline > 2))
  ) u_input (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({a_i, b_i, sum_i}),
      .valid_o(a_valid),
      .ready_i(a_ready),
      .data_o ({a, b, sum_a})
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
      .Width     (ProductWidth + PsumWidth),
      .Registered(32'(Pipeline > 1))
  ) u_middle (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(a_valid),
      .ready_o(a_ready),
      .data_i ({product, sum_a}),
      .valid_o(p_valid),
      .ready_i(p_ready),
      .data_o ({product_p, sum_p})
  );
  fma_accumulate #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .SumWidth  (SumWidth),
      .Normalise (Normalise),
      .NormK     (NormK),
      .NormLambda(NormLambda)
  ) u_accumulate (
      .product_i(product_p),
      .sum_i    (sum_p),
      .sum_o    (sum_next)
  );
  optional_register #(
      .Width     (PsumWidth),
      .Registered(1)
  ) u_output (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(p_valid),
      .ready_o(p_ready),
      .data_i (sum_next),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (sum_o)
  );
endmodule
