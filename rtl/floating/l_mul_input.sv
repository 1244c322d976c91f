// An operand of L-Mul: sign, {exponent, mantissa} cut to KeptBits of mantissa, and class.
// Combinational.
module l_mul_input #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // Mantissa bits kept.
    parameter int KeptBits = ManWidth,
    // 0: to nearest even; 1: towards zero.
    parameter int InputRound = 0
) (
    // The word.
    input  logic [ExpWidth+ManWidth:0] word_i,
    // 1: negative.
    output logic                       sign_o,
    // The magnitude in ExpWidth + KeptBits bits, and a carry of rounding.
    output logic [ExpWidth+KeptBits:0] cut_o,
    // Zero or subnormal.
    output logic                       zero_o,
    // It is an infinity.
    output logic                       inf_o,
    // It is not a number.
    output logic                       nan_o
);
  localparam int MagWidth = ExpWidth + ManWidth;
  localparam int Dropped = ManWidth - KeptBits;
  localparam int CutWidth = ExpWidth + KeptBits + 1;

  // Exponent and significand are read from the word itself.
  // verilator lint_off UNUSEDSIGNAL
  logic [ExpWidth-1:0] exponent;
  logic [ManWidth:0] significand;
  // verilator lint_on UNUSEDSIGNAL
  fp_unpack #(
      .ExpWidth  (ExpWidth),
      .ManWidth  (ManWidth),
      .Specials  (Specials),
      .Subnormals(0)
  ) u_unpack (
      .word_i(word_i),
      .sign_o(sign_o),
      .exp_o (exponent),
      .sig_o (significand),
      .inf_o (inf_o),
      .nan_o (nan_o)
  );
  assign zero_o = !significand[ManWidth];

  logic [CutWidth-1:0] kept;
  assign kept = {1'b0, word_i[MagWidth-1:Dropped]};
  if (Dropped == 0 || InputRound != 0) begin : gen_truncate
    assign cut_o = kept;
  end else begin : gen_nearest
    logic guard, sticky, up;
    assign guard = word_i[Dropped-1];
    if (Dropped > 1) begin : gen_sticky
      assign sticky = |word_i[Dropped-2:0];
    end else begin : gen_tie
      assign sticky = 1'b0;
    end
    assign up = guard && (sticky || kept[0]);
    assign cut_o = kept + CutWidth'(up);
  end
endmodule
