// First half of the adder: unpack, order by magnitude, align, add or subtract. Combinational.
// Bundle, from the top: not a number, infinity, sign, exponent (ExpWidth, of the larger operand, at
// least 1), sum (ManWidth + 5 bits: carry, significand, guard, round, sticky).
// The larger operand is first, so a difference is never negative. Three bits below the significand
// are enough for correct rounding: only sums aligned by 0 or 1, which are exact, lose more than one
// leading bit.
module fp_add_front #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormal operands count; 0: they are zero.
    parameter int Subnormals = 1
) (
    // First summand.
    input  logic [ ExpWidth+ManWidth:0] a_i,
    // Second summand.
    input  logic [ ExpWidth+ManWidth:0] b_i,
    // The bundle.
    output logic [ExpWidth+ManWidth+7:0] bundle_o
);
  localparam int AlignWidth = ManWidth + 4;

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

  logic swap, subtract;
  logic [ExpWidth-1:0] large_exp, small_exp, distance;
  logic [ManWidth:0] large_sig, small_sig;
  assign swap = {b_exp, b_sig} > {a_exp, a_sig};
  assign subtract = a_sign ^ b_sign;
  assign large_exp = swap ? b_exp : a_exp;
  assign small_exp = swap ? a_exp : b_exp;
  assign large_sig = swap ? b_sig : a_sig;
  assign small_sig = swap ? a_sig : b_sig;
  assign distance = large_exp - small_exp;

  logic [AlignWidth-1:0] aligned;
  fp_shift_sticky #(
      .Width     (AlignWidth),
      .ShiftWidth(ExpWidth)
  ) u_align (
      .data_i ({small_sig, 3'b000}),
      .shift_i(distance),
      .data_o (aligned)
  );

  logic [AlignWidth:0] augend, addend, sum;
  assign augend = {1'b0, large_sig, 3'b000};
  assign addend = {1'b0, aligned};
  assign sum = augend + (addend ^ {(AlignWidth + 1) {subtract}}) +
      (AlignWidth + 1)'(subtract);

  logic nan, inf, sign;
  assign nan = a_nan || b_nan || (a_inf && b_inf && subtract);
  assign inf = a_inf || b_inf;
  always_comb begin
    sign = swap ? b_sign : a_sign;
    if (subtract && sum == '0) sign = 1'b0;  // x - x = +0
    if (a_inf) sign = a_sign;
    else if (b_inf) sign = b_sign;
  end
  assign bundle_o = {nan, inf, sign, large_exp, sum};
endmodule
