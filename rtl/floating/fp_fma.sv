// Fused multiply-add: a*b + c, rounded once (fp_round has the rules). Combinational.
module fp_fma #(
    // Bits of the factors' exponents.
    parameter int ExpWidth = 8,
    // Bits of the factors' mantissas.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Bits of the exponent of addend and result.
    parameter int OutExpWidth = ExpWidth,
    // Bits of the mantissa of addend and result.
    parameter int OutManWidth = ManWidth,
    // As Specials, of addend and result.
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
    // Addend.
    input  logic [OutExpWidth+OutManWidth:0] c_i,
    // a*b + c.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int SumExpWidth = ((ExpWidth > OutExpWidth) ? ExpWidth : OutExpWidth) + 2;
  localparam int SumWidth =
      ((2 * ManWidth + 2 > OutManWidth + 1) ? 2 * ManWidth + 2 : OutManWidth + 1) + 4;

  logic [ExpWidth+2*ManWidth+5:0] product;
  logic [SumExpWidth+SumWidth+2:0] sum;
  fp_mul_front #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_product (
      .a_i     (a_i),
      .b_i     (b_i),
      .bundle_o(product)
  );
  fp_fma_align #(
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .OutExpWidth(OutExpWidth),
      .OutManWidth(OutManWidth),
      .OutSpecials(OutSpecials),
      .Subnormals (Subnormals)
  ) u_align (
      .product_i(product),
      .c_i      (c_i),
      .bundle_o (sum)
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
      .bundle_i(sum),
      .result_o(result_o)
  );
endmodule
