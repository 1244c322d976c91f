// First half of the multiplier: unpack, multiply significands, add exponents. Combinational.
// Bundle, from the top: not a number, infinity, sign, exponent (ExpWidth + 1, sum of the biased
// exponents), product (2 ManWidth + 2 bits, its second bit from the top weighs one).
module fp_mul_front #(
    // Bits of the operands' exponents.
    parameter int ExpWidth = 8,
    // Bits of the operands' mantissas.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormal operands count; 0: they are zero.
    parameter int Subnormals = 1
) (
    // First factor.
    input  logic [   ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [   ExpWidth+ManWidth:0] b_i,
    // The bundle.
    output logic [ExpWidth+2*ManWidth+5:0] bundle_o
);
  localparam int ProductWidth = 2 * ManWidth + 2;

  logic a_sign, a_inf, a_nan, b_sign, b_inf, b_nan;
  logic [ExpWidth-1:0] a_exp, b_exp;
  logic [ManWidth:0] a_sig, b_sig;

  fp_unpack #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_unpack_a (
      .word_i(a_i),
      .sign_o(a_sign),
      .exp_o (a_exp),
      .sig_o (a_sig),
      .inf_o (a_inf),
      .nan_o (a_nan)
  );
  fp_unpack #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_unpack_b (
      .word_i(b_i),
      .sign_o(b_sign),
      .exp_o (b_exp),
      .sig_o (b_sig),
      .inf_o (b_inf),
      .nan_o (b_nan)
  );

  logic nan, inf, invalid;
  logic [ExpWidth:0] exponent;
  logic [ProductWidth-1:0] product;
  assign invalid = (a_inf && b_sig == '0) || (b_inf && a_sig == '0);  // infinity times zero
  assign nan = a_nan || b_nan || invalid;
  assign inf = a_inf || b_inf;
  assign exponent = {1'b0, a_exp} + {1'b0, b_exp};
  assign product = ProductWidth'(a_sig) * ProductWidth'(b_sig);
  assign bundle_o = {nan, inf, a_sign ^ b_sign, exponent, product};
endmodule
