// Floating-point multiplier: exact product, rounded once to the format of the result (fp_round has
// the rules). Combinational.
module fp_mul #(
    // Bits of the operands' exponents.
    parameter int ExpWidth = 8,
    // Bits of the operands' mantissas.
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
    parameter int Saturate = 0
) (
    // First factor.
    input  logic [      ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [      ExpWidth+ManWidth:0] b_i,
    // Their product.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  logic [ExpWidth+2*ManWidth+5:0] bundle;
  fp_mul_front #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_front (
      .a_i     (a_i),
      .b_i     (b_i),
      .bundle_o(bundle)
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
      .bundle_i(bundle),
      .result_o(result_o)
  );
endmodule
