// Second half of the adder: normalise the sum, round. Combinational.
// The left shift stops at exponent 1, where subnormals live, so rounding never shifts back; a
// subnormal sum is exact.
module fp_add_back #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormal results; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0,
    // Bits of the exponent that comes in, unsigned and at least 1; at least ExpWidth.
    parameter int SumExpWidth = ExpWidth,
    // Bits of the sum that comes in: carry, significand, guard, round, sticky.
    parameter int SumWidth = ManWidth + 5
) (
    // Not a number, infinity, sign, exponent, sum; as fp_add_front makes it.
    input  logic [SumExpWidth+SumWidth+2:0] bundle_i,
    // The sum.
    output logic [     ExpWidth+ManWidth:0] result_o
);
  localparam int CountWidth = $clog2(SumWidth + 1);
  localparam int ExpInWidth = ((SumExpWidth > CountWidth) ? SumExpWidth : CountWidth) + 2;

  logic nan, inf, sign;
  logic [SumExpWidth-1:0] exponent;
  logic [SumWidth-1:0] sum, normalised;
  assign {nan, inf, sign, exponent, sum} = bundle_i;

  logic [CountWidth-1:0] zeros, shift;
  fp_lzc #(
      .Width(SumWidth)
  ) u_lzc (
      .data_i (sum),
      .count_o(zeros)
  );

  // The carry weighs 2**(exponent + 1); after the shift the exponent is at least 1.
  logic [ExpInWidth-1:0] wide_zeros, wide_exponent, final_exp;
  assign wide_zeros = ExpInWidth'(zeros);
  assign wide_exponent = ExpInWidth'(exponent);
  assign shift = (wide_zeros > wide_exponent) ? CountWidth'(wide_exponent) : zeros;
  assign normalised = sum << shift;
  assign final_exp = wide_exponent + ExpInWidth'(1) - ExpInWidth'(shift);

  fp_round #(
      .ExpInWidth (ExpInWidth),
      .SigWidth   (SumWidth),
      .ExpWidth   (ExpWidth),
      .ManWidth   (ManWidth),
      .Specials   (Specials),
      .Subnormals (Subnormals),
      .Round      (Round),
      .Saturate   (Saturate),
      .Denormalise(0)
  ) u_round (
      .sign_i(sign),
      .exp_i ($signed(final_exp)),
      .sig_i (normalised),
      .inf_i (inf),
      .nan_i (nan),
      .word_o(result_o)
  );
endmodule
