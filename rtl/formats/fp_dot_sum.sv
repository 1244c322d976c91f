// Sum of Lanes products of small floating-point numbers by one alignment: every product is shifted
// to the largest exponent in a window of AlignWidth bits, cut there, and one carry-save tree adds
// the signed windows. No product is normalised or rounded.
// The result weighs sum * 2**(exp - 2*bias + 2 - AlignWidth).
// Source: arXiv 2510.25602 (INT v.s. FP), hardware model in the appendix. Combinational.
module fp_dot_sum #(
    // Bits of an element's exponent.
    parameter int ExpWidth = 4,
    // Bits of an element's mantissa.
    parameter int ManWidth = 3,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 1,
    // Elements of a beat.
    parameter int Lanes = 32,
    // Bits of the window; at least 2 ManWidth + 2.
    parameter int AlignWidth = 24,
    // Bits of the sum; derived, do not set.
    parameter int SumWidth = AlignWidth + $clog2(Lanes) + 1
) (
    // First vector, lane l at [l*(1+ExpWidth+ManWidth) +: 1+ExpWidth+ManWidth].
    input  logic [Lanes*(1+ExpWidth+ManWidth)-1:0] a_i,
    // Second vector.
    input  logic [Lanes*(1+ExpWidth+ManWidth)-1:0] b_i,
    // Sum of the aligned products, signed.
    output logic [                   SumWidth-1:0] sum_o,
    // Largest sum of two biased exponents.
    output logic [                     ExpWidth:0] exp_o,
    // An element is no number (or an infinity).
    output logic                                   nan_o
);
  localparam int Width = 1 + ExpWidth + ManWidth;
  localparam int ProductWidth = 2 * ManWidth + 2;
  localparam int CountWidth = $clog2(Lanes + 1);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (AlignWidth < ProductWidth) begin : gen_bad_align
    $error("AlignWidth must be at least 2*ManWidth + 2 = %0d, got %0d", ProductWidth, AlignWidth);
  end
`endif

  logic [Lanes*(ExpWidth+1)-1:0] exponents;
  logic [Lanes-1:0] negative, wild;
  logic [(Lanes+1)*SumWidth-1:0] terms;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic a_sign, b_sign, a_inf, b_inf, a_nan, b_nan;
    logic [ExpWidth-1:0] a_exp, b_exp;
    logic [ManWidth:0] a_sig, b_sig;
    fp_unpack #(
        .ExpWidth(ExpWidth),
        .ManWidth(ManWidth),
        .Specials(Specials)
    ) u_unpack_a (
        .word_i(a_i[l*Width+:Width]),
        .sign_o(a_sign),
        .exp_o (a_exp),
        .sig_o (a_sig),
        .inf_o (a_inf),
        .nan_o (a_nan)
    );
    fp_unpack #(
        .ExpWidth(ExpWidth),
        .ManWidth(ManWidth),
        .Specials(Specials)
    ) u_unpack_b (
        .word_i(b_i[l*Width+:Width]),
        .sign_o(b_sign),
        .exp_o (b_exp),
        .sig_o (b_sig),
        .inf_o (b_inf),
        .nan_o (b_nan)
    );
    assign negative[l] = a_sign ^ b_sign;
    assign wild[l] = a_inf || a_nan || b_inf || b_nan;

    // A product of zero has exponent 0, so that it never moves the window.
    logic [ExpWidth:0] exponent, distance;
    logic [ProductWidth-1:0] product;
    logic [AlignWidth-1:0] window;
    logic [SumWidth-1:0] extended;
    assign product = ProductWidth'(a_sig) * ProductWidth'(b_sig);
    assign exponent = (a_sig == '0 || b_sig == '0) ? '0 : {1'b0, a_exp} + {1'b0, b_exp};
    assign exponents[l*(ExpWidth+1)+:ExpWidth+1] = exponent;
    assign distance = exp_o - exponent;
    assign window = {product, {(AlignWidth - ProductWidth) {1'b0}}} >> distance;
    assign extended = SumWidth'(window);
    assign terms[l*SumWidth+:SumWidth] = extended ^ {SumWidth{negative[l]}};
  end

  fp_dot_max #(
      .Inputs(Lanes),
      .Width (ExpWidth + 1)
  ) u_max (
      .data_i(exponents),
      .max_o (exp_o)
  );

  // -x = ~x + 1: the ones of all negative lanes are one more term.
  logic [CountWidth-1:0] ones;
  always_comb begin
    ones = '0;
    for (int l = 0; l < Lanes; l++) ones += CountWidth'(negative[l]);
  end
  assign terms[Lanes*SumWidth+:SumWidth] = SumWidth'(ones);

  logic [SumWidth-1:0] sum, carry;
  csa_tree #(
      .Inputs(Lanes + 1),
      .Width (SumWidth)
  ) u_tree (
      .terms_i(terms),
      .sum_o  (sum),
      .carry_o(carry)
  );
  assign sum_o = sum + carry;
  assign nan_o = |wild;
endmodule
