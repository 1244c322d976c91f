// Middle of the fused multiply-add: normalise the product, order, align, add. Combinational.
// The product is exact and the sum keeps three bits below the longer significand, so rounding the
// sum is rounding a*b + c once. A subnormal addend has leading zeros; it can be the smaller number
// with the larger exponent, and then the difference is negated.
module fp_fma_align #(
    // Bits of the factors' exponents.
    parameter int ExpWidth = 8,
    // Bits of the factors' mantissas.
    parameter int ManWidth = 7,
    // Bits of the exponent of addend and result.
    parameter int OutExpWidth = 8,
    // Bits of the mantissa of addend and result.
    parameter int OutManWidth = 23,
    // Codes of addend and result that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int OutSpecials = 0,
    // 1: subnormal numbers; 0: they are zero.
    parameter int Subnormals = 1,
    // Bits of the larger exponent that goes out; derived, do not set.
    parameter int SumExpWidth = ((ExpWidth > OutExpWidth) ? ExpWidth : OutExpWidth) + 2,
    // Bits of the sum; derived, do not set.
    parameter int SumWidth =
        ((2 * ManWidth + 2 > OutManWidth + 1) ? 2 * ManWidth + 2 : OutManWidth + 1) + 4
) (
    // What fp_mul_front made.
    input  logic [     ExpWidth+2*ManWidth+5:0] product_i,
    // The addend.
    input  logic [OutExpWidth+OutManWidth:0] c_i,
    // Not a number, infinity, sign, larger exponent, sum: as fp_add_back takes it.
    output logic [   SumExpWidth+SumWidth+2:0] bundle_o
);
  localparam int ProductWidth = 2 * ManWidth + 2;
  localparam int AlignWidth = SumWidth - 1;
  localparam int SigWidth = AlignWidth - 3;
  localparam int SignedWidth = SumExpWidth + 1;
  localparam int Rebias = 1 + (2 ** (OutExpWidth - 1) - 1) - 2 * (2 ** (ExpWidth - 1) - 1);

  logic p_nan, p_inf, p_sign, p_zero;
  logic [ExpWidth:0] p_raw_exp;
  logic [ProductWidth-1:0] product, normalised;
  assign {p_nan, p_inf, p_sign, p_raw_exp, product} = product_i;
  assign p_zero = product == '0;

  logic signed [SignedWidth-1:0] rebiased, p_exp;
  assign rebiased = $signed(SignedWidth'(p_raw_exp)) + SignedWidth'(Rebias);
  if (Subnormals != 0) begin : gen_any_zeros
    localparam int CountWidth = $clog2(ProductWidth + 1);
    logic [CountWidth-1:0] zeros;
    fp_lzc #(
        .Width(ProductWidth)
    ) u_lzc (
        .data_i (product),
        .count_o(zeros)
    );
    assign normalised = product << zeros;
    assign p_exp = rebiased - $signed(SignedWidth'(zeros));
  end else begin : gen_one_zero
    logic high;
    assign high = product[ProductWidth-1];
    assign normalised = high ? product : product << 1;
    assign p_exp = rebiased - $signed(SignedWidth'(!high));
  end

  logic c_sign, c_inf, c_nan;
  logic [OutExpWidth-1:0] c_raw_exp;
  logic [OutManWidth:0] c_raw_sig;
  fp_unpack #(
      .ExpWidth  (OutExpWidth),
      .ManWidth  (OutManWidth),
      .Specials  (OutSpecials),
      .Subnormals(Subnormals)
  ) u_unpack_c (
      .word_i(c_i),
      .sign_o(c_sign),
      .exp_o (c_raw_exp),
      .sig_o (c_raw_sig),
      .inf_o (c_inf),
      .nan_o (c_nan)
  );

  // Both significands from the top of SigWidth bits; a zero product never has the larger exponent.
  logic signed [SignedWidth-1:0] c_exp, distance;
  logic [SigWidth-1:0] p_sig, c_sig, large_sig, small_sig;
  logic c_large, subtract;
  assign c_exp = $signed(SignedWidth'(c_raw_exp));
  assign p_sig = SigWidth'(normalised) << (SigWidth - ProductWidth);
  assign c_sig = SigWidth'(c_raw_sig) << (SigWidth - OutManWidth - 1);
  assign distance = p_exp - c_exp;
  assign c_large = p_zero || distance < 0 || (distance == 0 && c_sig > p_sig);
  assign large_sig = c_large ? c_sig : p_sig;
  assign small_sig = c_large ? p_sig : c_sig;
  assign subtract = p_sign ^ c_sign;

  logic [SumExpWidth-1:0] shift, large_exp;
  logic [AlignWidth-1:0] aligned;
  assign shift = SumExpWidth'(distance < 0 ? -distance : distance);
  assign large_exp = SumExpWidth'(c_large ? c_exp : p_exp);
  fp_shift_sticky #(
      .Width     (AlignWidth),
      .ShiftWidth(SumExpWidth)
  ) u_align (
      .data_i ({small_sig, 3'b000}),
      .shift_i(shift),
      .data_o (aligned)
  );

  logic [SumWidth-1:0] augend, addend, raw, sum;
  logic negative;
  assign augend = {1'b0, large_sig, 3'b000};
  assign addend = {1'b0, aligned};
  assign raw = augend + (addend ^ {SumWidth{subtract}}) + SumWidth'(subtract);
  assign negative = subtract && raw[SumWidth-1];
  if (Subnormals != 0) begin : gen_negate
    assign sum = negative ? -raw : raw;
  end else begin : gen_flush
    // Only a product below the smallest normal number exceeds the addend zero; it becomes zero.
    assign sum = raw & {SumWidth{!negative}};
  end

  logic nan, inf, sign;
  assign nan = p_nan || c_nan || (p_inf && c_inf && subtract);
  assign inf = p_inf || c_inf;
  always_comb begin
    sign = (c_large ? c_sign : p_sign) ^ negative;
    if (subtract && raw == '0) sign = 1'b0;  // x - x = +0
    if (p_inf) sign = p_sign;
    else if (c_inf) sign = c_sign;
  end
  assign bundle_o = {nan, inf, sign, large_exp, sum};
endmodule
