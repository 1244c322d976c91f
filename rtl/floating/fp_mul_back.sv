// Second half of the multiplier: normalise the product, round to the format of the result.
// Combinational.
module fp_mul_back #(
    // Bits of the operands' exponents.
    parameter int ExpWidth = 8,
    // Bits of the operands' mantissas.
    parameter int ManWidth = 7,
    // Bits of the exponent of the result.
    parameter int OutExpWidth = 8,
    // Bits of the mantissa of the result.
    parameter int OutManWidth = 7,
    // Codes of the result that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int OutSpecials = 0,
    // 1: subnormal numbers; 0: they are zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow gives the largest number.
    parameter int Saturate = 0
) (
    // What fp_mul_front made.
    input  logic [ExpWidth+2*ManWidth+5:0] bundle_i,
    // The product.
    output logic [OutExpWidth+OutManWidth:0] result_o
);
  localparam int ProductWidth = 2 * ManWidth + 2;
  localparam int SigWidth =
      (ProductWidth > OutManWidth + 3) ? ProductWidth : OutManWidth + 3;
  localparam int ExpInWidth =
      ((ExpWidth > OutExpWidth) ? ExpWidth : OutExpWidth) + 3;
  // The top bit of the product weighs two; both biases go, the result's bias comes.
  localparam int Rebias = 1 + (2 ** (OutExpWidth - 1) - 1) - 2 * (2 ** (ExpWidth - 1) - 1);

  logic nan, inf, sign;
  logic [ExpWidth:0] exponent;
  logic [ProductWidth-1:0] product, normalised;
  assign {nan, inf, sign, exponent, product} = bundle_i;

  logic signed [ExpInWidth-1:0] rebiased, final_exp;
  assign rebiased = $signed(ExpInWidth'(exponent)) + ExpInWidth'(Rebias);

  if (Subnormals != 0) begin : gen_any_zeros
    // A subnormal factor leaves any number of leading zeros.
    localparam int CountWidth = $clog2(ProductWidth + 1);
    logic [CountWidth-1:0] zeros;
    fp_lzc #(
        .Width(ProductWidth)
    ) u_lzc (
        .data_i (product),
        .count_o(zeros)
    );
    assign normalised = product << zeros;
    assign final_exp = rebiased - $signed(ExpInWidth'(zeros));
  end else begin : gen_one_zero
    // Two normal factors: the product is in [1, 4).
    logic high;
    assign high = product[ProductWidth-1];
    assign normalised = high ? product : product << 1;
    assign final_exp = rebiased - $signed(ExpInWidth'(!high));
  end

  logic [SigWidth-1:0] sig;
  assign sig = SigWidth'(normalised) << (SigWidth - ProductWidth);
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
