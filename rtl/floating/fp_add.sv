// Floating-point adder: exact sum, rounded once (fp_round has the rules). Combinational.
module fp_add #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormal numbers; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0
) (
    // First summand.
    input  logic [ExpWidth+ManWidth:0] a_i,
    // Second summand.
    input  logic [ExpWidth+ManWidth:0] b_i,
    // Their sum.
    output logic [ExpWidth+ManWidth:0] result_o
);
  logic [ExpWidth+ManWidth+7:0] bundle;
  fp_add_front #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals)
  ) u_front (
      .a_i     (a_i),
      .b_i     (b_i),
      .bundle_o(bundle)
  );
  fp_add_back #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(Subnormals),
      .Round     (Round),
      .Saturate  (Saturate)
  ) u_back (
      .bundle_i(bundle),
      .result_o(result_o)
  );
endmodule
