// End of a multiply-add chain: the un-normalised partial sum is normalised exactly and rounded once
// (fp_round has the rules). Source: as fma_accumulate. Combinational.
module fma_normalise #(
    // Bits of the factors' exponents; the partial sum's exponent has two more.
    parameter int ExpWidth = 8,
    // Bits of the partial sum's significand.
    parameter int SumWidth = 16,
    // Bits of the exponent of the result.
    parameter int OutExpWidth = 8,
    // Bits of the mantissa of the result.
    parameter int OutManWidth = 7,
    // Codes of the result that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int OutSpecials = 0,
    // 1: subnormal results; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0
) (
    // The partial sum.
    input  logic [   ExpWidth+SumWidth+4:0] sum_i,
    // The result.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int PsumExpWidth = ExpWidth + 2;
  localparam int CountWidth = $clog2(SumWidth + 1);
  localparam int SigWidth = (SumWidth > OutManWidth + 3) ? SumWidth : OutManWidth + 3;
  localparam int WideExp = (PsumExpWidth > OutExpWidth + 1) ? PsumExpWidth : OutExpWidth + 1;
  localparam int ExpInWidth = ((WideExp > CountWidth) ? WideExp : CountWidth) + 2;
  localparam int OutBias = 2 ** (OutExpWidth - 1) - 1;

  logic nan, inf, sign;
  logic signed [PsumExpWidth-1:0] exponent;
  logic [SumWidth-1:0] significand;
  logic [CountWidth-1:0] zeros;
  assign {nan, inf, sign, exponent, significand} = sum_i;
  fp_lzc #(
      .Width(SumWidth)
  ) u_lzc (
      .data_i (significand),
      .count_o(zeros)
  );

  logic signed [ExpInWidth-1:0] final_exp;
  logic [SumWidth-1:0] normalised;
  logic [SigWidth-1:0] sig;
  assign normalised = significand << zeros;
  assign final_exp = ExpInWidth'(exponent) + ExpInWidth'(OutBias) -
      $signed(ExpInWidth'(zeros));
  assign sig = SigWidth'(normalised) << (SigWidth - SumWidth);
  fp_round #(
      .ExpInWidth(ExpInWidth),
      .SigWidth  (SigWidth),
      .ExpWidth  (OutExpWidth),
      .ManWidth  (OutManWidth),
      .Specials  (OutSpecials),
      .Subnormals(Subnormals),
      .Round     (Round),
      .Saturate  (Saturate)
  ) u_round (
      .sign_i(sign),
      .exp_i (final_exp),
      .sig_i (sig),
      .inf_i (inf),
      .nan_i (nan),
      .word_o(result_o)
  );
endmodule
