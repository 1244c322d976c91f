// The adding half of a multiply-add chain: a product joins the partial sum of the element before.
// The partial sum stays unpacked and unrounded: {not a number, infinity, sign, exponent of the top
// bit (ExpWidth + 2, signed, unbiased), significand (SumWidth)}. Rounding happens once, in
// fma_normalise at the end of the chain.
// What precedes the next element is the parameter Normalise:
//   2  exact: leading-zero count and a full left shift;
//   1  approximate: a one in the top NormK bits: shift 0; else one in the next NormLambda bits:
//      shift NormK; else shift NormK + NormLambda: two ORs and a three-way multiplexer;
//   0  none: significands only move right.
// Aligning truncates: what falls out of SumWidth bits is lost. Exponents cannot overflow: a sum of
// fewer than 2**(2**ExpWidth) products fits.
// Source: K. Alexandridis, C. Peltekis, D. Filippas, G. Dimitrakopoulos, "Floating-Point
// Multiply-Add with Approximate Normalization for Low-Cost Matrix Engines", arXiv 2408.11997.
// Combinational.
module fma_accumulate #(
    // Bits of the factors' exponents.
    parameter int ExpWidth = 8,
    // Bits of the factors' mantissas.
    parameter int ManWidth = 7,
    // Bits of the partial sum's significand.
    parameter int SumWidth = 16,
    // Normalisation of the partial sum: 0 none, 1 approximate, 2 exact.
    parameter int Normalise = 1,
    // k of approximate normalisation.
    parameter int NormK = 1,
    // Lambda of approximate normalisation.
    parameter int NormLambda = 1
) (
    // What fp_mul_front made.
    input  logic [ExpWidth+2*ManWidth+5:0] product_i,
    // The partial sum that arrives.
    input  logic [    ExpWidth+SumWidth+4:0] sum_i,
    // The partial sum that leaves.
    output logic [    ExpWidth+SumWidth+4:0] sum_o
);
  localparam int ProductWidth = 2 * ManWidth + 2;
  localparam int PsumExpWidth = ExpWidth + 2;
  localparam int DistanceWidth = PsumExpWidth + 1;
  localparam int Unbias = 1 - 2 * (2 ** (ExpWidth - 1) - 1);  // the product's top bit weighs two
  localparam logic signed [PsumExpWidth-1:0] MinExp = {1'b1, {(PsumExpWidth - 1) {1'b0}}};

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (SumWidth < 2 || SumWidth < NormK + NormLambda) begin : gen_bad_width
    $error("SumWidth must be at least 2 and NormK + NormLambda, got %0d", SumWidth);
  end
  if (2 * ManWidth > 2 ** ExpWidth + 4) begin : gen_bad_mantissa
    $error("ManWidth must be at most 2**(ExpWidth - 1) + 2 = %0d, got %0d",
           2 ** (ExpWidth - 1) + 2, ManWidth);
  end
  if (Normalise < 0 || Normalise > 2) begin : gen_bad_normalise
    $error("Normalise must be 0, 1 or 2, got %0d", Normalise);
  end
  if (NormK < 1 || NormLambda < 1) begin : gen_bad_norm
    $error("NormK and NormLambda must be at least 1, got %0d and %0d", NormK, NormLambda);
  end
`endif

  logic p_nan, p_inf, p_sign, c_nan, c_inf, c_sign;
  logic [ExpWidth:0] p_raw_exp;
  logic [ProductWidth-1:0] product;
  logic signed [PsumExpWidth-1:0] p_exp, c_exp;
  logic [SumWidth-1:0] p_sig, c_sig;
  assign {p_nan, p_inf, p_sign, p_raw_exp, product} = product_i;
  assign {c_nan, c_inf, c_sign, c_exp, c_sig} = sum_i;

  // A zero has the smallest exponent, so that it never pushes the other number out.
  assign p_exp = (product == '0) ? MinExp :
      $signed(PsumExpWidth'(p_raw_exp)) + PsumExpWidth'(Unbias);
  if (SumWidth >= ProductWidth) begin : gen_whole
    assign p_sig = SumWidth'(product) << (SumWidth - ProductWidth);
  end else begin : gen_cut
    assign p_sig = product[ProductWidth-1-:SumWidth];
  end

  // Align to the larger exponent; the distance needs one bit more than the exponents.
  localparam int StageWidth = $clog2(SumWidth);
  logic signed [DistanceWidth-1:0] distance;
  logic [DistanceWidth-1:0] shift;
  logic signed [PsumExpWidth-1:0] large_exp;
  logic [SumWidth-1:0] large_sig, small_sig, aligned;
  logic p_large, subtract;
  assign distance = DistanceWidth'(p_exp) - DistanceWidth'(c_exp);
  assign p_large = distance >= 0;
  assign shift = $unsigned(p_large ? distance : -distance);
  assign large_exp = p_large ? p_exp : c_exp;
  assign large_sig = p_large ? p_sig : c_sig;
  assign small_sig = p_large ? c_sig : p_sig;
  assign aligned = (|shift[DistanceWidth-1:StageWidth]) ? '0 : small_sig >> shift[StageWidth-1:0];
  assign subtract = p_sign ^ c_sign;

  // The larger exponent may have the smaller, un-normalised significand.
  logic [SumWidth:0] raw, total;
  logic negative, carry, zero;
  assign raw = {1'b0, large_sig} + ({1'b0, aligned} ^ {(SumWidth + 1) {subtract}}) +
      (SumWidth + 1)'(subtract);
  assign negative = subtract && raw[SumWidth];
  assign total = negative ? -raw : raw;
  assign carry = total[SumWidth];
  assign zero = total == '0;

  // Normalise to the left; a carry moves right by one instead.
  localparam int CountWidth = $clog2(SumWidth + 1);
  logic [SumWidth-1:0] fraction, carried;
  logic [CountWidth-1:0] left;
  assign fraction = total[SumWidth-1:0];
  assign carried = total[SumWidth:1];
  if (Normalise == 2) begin : gen_exact
    fp_lzc #(
        .Width(SumWidth)
    ) u_lzc (
        .data_i (fraction),
        .count_o(left)
    );
  end else if (Normalise == 1) begin : gen_approximate
    logic top, next;
    assign top  = |fraction[SumWidth-1-:NormK];
    assign next = |fraction[SumWidth-1-NormK-:NormLambda];
    assign left = top ? '0 : next ? CountWidth'(NormK) : CountWidth'(NormK + NormLambda);
  end else begin : gen_none
    assign left = '0;
  end

  logic signed [PsumExpWidth-1:0] exponent;
  logic [SumWidth-1:0] significand;
  always_comb begin
    significand = fraction << left;
    exponent = large_exp - $signed(PsumExpWidth'(left));
    if (carry) begin
      significand = carried;
      exponent = large_exp + PsumExpWidth'(1);
    end
    if (zero) exponent = MinExp;
  end

  logic nan, inf, sign;
  assign nan = p_nan || c_nan || (p_inf && c_inf && subtract);
  assign inf = p_inf || c_inf;
  always_comb begin
    sign = (p_large ? p_sign : c_sign) ^ negative;
    if (subtract && zero) sign = 1'b0;  // x - x = +0
    if (p_inf) sign = p_sign;
    else if (c_inf) sign = c_sign;
  end
  assign sum_o = {nan, inf, sign, exponent, significand};
endmodule
