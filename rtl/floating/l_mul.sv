// L-Mul: an approximate multiplier made of one integer adder. The words' {exponent, mantissa} are
// logarithms up to a small error, so their sum, less one bias, stands for the product; a constant
// 2**-OffsetShift of a mantissa makes up for the product of the mantissas that is left out. A carry
// out of the mantissa goes into the exponent by itself (which the printed formula does not do).
// Operands are first brought to KeptBits of mantissa. Subnormal operands are zero, results below
// the smallest normal number become zero; overflow and NaN as in fp_round.
// Source: H. Luo, W. Sun, "Addition is All You Need for Energy-efficient Language Models",
// arXiv 2410.00907, section 2.2. Combinational.
module l_mul #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Mantissa bits of the adder; operands are cut to it, the result is zero below.
    parameter int KeptBits = ManWidth,
    // How operands are cut: 0 to nearest even, 1 towards zero.
    parameter int InputRound = 0,
    // l of the offset 2**-l: 1 to KeptBits; 0: no offset.
    parameter int OffsetShift = 4,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0
) (
    // First factor.
    input  logic [ExpWidth+ManWidth:0] a_i,
    // Second factor.
    input  logic [ExpWidth+ManWidth:0] b_i,
    // About their product.
    output logic [ExpWidth+ManWidth:0] result_o
);
  localparam int MagWidth = ExpWidth + ManWidth;
  localparam int Dropped = ManWidth - KeptBits;
  localparam int CutWidth = ExpWidth + KeptBits + 1;  // rounding up may carry past the exponent
  localparam int TotalWidth = CutWidth + 2;  // sign, and the carry of the sum
  localparam int Bias = 2 ** (ExpWidth - 1) - 1;
  localparam int Correction =
      ((OffsetShift == 0) ? 0 : 2 ** (KeptBits - OffsetShift)) - Bias * 2 ** KeptBits;
  localparam logic [MagWidth-1:0] AllOnes = {MagWidth{1'b1}};
  localparam logic [MagWidth-1:0] Infinity = {{ExpWidth{1'b1}}, {ManWidth{1'b0}}};
  localparam logic [MagWidth-1:0] Largest =
      (Specials == 0) ? Infinity - 1'b1 : (Specials == 1) ? AllOnes - 1'b1 : AllOnes;
  localparam logic [MagWidth-1:0] Nan =
      (Specials == 0) ? (Infinity | (MagWidth'(1) << (ManWidth - 1))) : AllOnes;
  localparam logic [MagWidth-1:0] Overflowed =
      (Saturate != 0 || Specials == 2) ? Largest : (Specials == 0) ? Infinity : Nan;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (KeptBits < 1 || KeptBits > ManWidth) begin : gen_bad_kept
    $error("KeptBits must be 1 to ManWidth = %0d, got %0d", ManWidth, KeptBits);
  end
  if (OffsetShift < 0 || OffsetShift > KeptBits) begin : gen_bad_offset
    $error("OffsetShift must be 0 to KeptBits = %0d, got %0d", KeptBits, OffsetShift);
  end
`endif

  logic a_sign, a_inf, a_nan, a_zero, b_sign, b_inf, b_nan, b_zero;
  logic [CutWidth-1:0] a_cut, b_cut;
  l_mul_input #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .KeptBits  (KeptBits),
      .InputRound(InputRound)
  ) u_input_a (
      .word_i(a_i),
      .sign_o(a_sign),
      .cut_o (a_cut),
      .zero_o(a_zero),
      .inf_o (a_inf),
      .nan_o (a_nan)
  );
  l_mul_input #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .KeptBits  (KeptBits),
      .InputRound(InputRound)
  ) u_input_b (
      .word_i(b_i),
      .sign_o(b_sign),
      .cut_o (b_cut),
      .zero_o(b_zero),
      .inf_o (b_inf),
      .nan_o (b_nan)
  );

  // The multiplier itself.
  logic signed [TotalWidth-1:0] total;
  assign total = $signed(TotalWidth'(a_cut)) + $signed(TotalWidth'(b_cut)) +
      TotalWidth'(Correction);

  logic nan, inf, zero, overflow;
  logic [TotalWidth+Dropped-1:0] wide;
  logic [MagWidth-1:0] fitting, magnitude;
  assign nan = a_nan || b_nan || (a_inf && b_zero) || (b_inf && a_zero);
  assign inf = a_inf || b_inf;
  assign zero = a_zero || b_zero || total < $signed(TotalWidth'(2 ** KeptBits));
  assign wide = (TotalWidth + Dropped)'($unsigned(total)) << Dropped;
  assign overflow = wide > (TotalWidth + Dropped)'(Largest);
  assign fitting = wide[MagWidth-1:0];
  always_comb begin
    magnitude = fitting;
    if (zero) magnitude = '0;
    else if (overflow) magnitude = Overflowed;
    if (inf) magnitude = Infinity;
    if (nan) magnitude = Nan;
  end
  assign result_o = {(a_sign ^ b_sign) && !nan, magnitude};
endmodule
