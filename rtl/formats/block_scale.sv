// Dequantiser: a block's integer sum times the scales of both blocks, as FP32. The only normaliser
// and the only rounding (to nearest even) between the elements and the FP32 accumulator.
// Scale 0: UE8M0, powers of two, the exponents are added, code 255 is no number.
// Scale 1: E4M3, the significands multiply the sum before it is normalised.
// Source: OCP Microscaling Formats Specification 1.0; arXiv 2510.25602 (INT v.s. FP).
// Combinational.
module block_scale #(
    // Bits of the sum.
    parameter int SumWidth = 30,
    // 0: UE8M0 scales; 1: E4M3 scales.
    parameter int Scale = 0,
    // 1: subnormal results; 0: they are zero.
    parameter int Subnormals = 1
) (
    // Sum of a block's products, signed.
    input  logic        [SumWidth-1:0] sum_i,
    // Exponent of the sum's lowest bit, without the scales.
    input  logic signed [         9:0] exp_i,
    // An element is no number.
    input  logic                       nan_i,
    // Scale of the first block.
    input  logic        [         7:0] scale_a_i,
    // Scale of the second block.
    input  logic        [         7:0] scale_b_i,
    // The block's dot product, FP32.
    output logic        [        31:0] word_o
);
  localparam int ExpInWidth = 11;  // sums of two scales and a sum's exponents stay within +-700
  localparam int MagWidth = (Scale == 0) ? SumWidth : SumWidth + 8;
  localparam int SigWidth = (MagWidth > 26) ? MagWidth : 26;
  localparam int CountWidth = $clog2(MagWidth + 1);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Scale < 0 || Scale > 1) begin : gen_bad_scale
    $error("Scale must be 0 (UE8M0) or 1 (E4M3), got %0d", Scale);
  end
`endif

  logic negative, sign, nan;
  logic [SumWidth-1:0] size;
  logic [MagWidth-1:0] magnitude;
  logic signed [ExpInWidth-1:0] base, scaled;  // exponent of the lowest bit
  assign negative = sum_i[SumWidth-1];
  assign size = negative ? -sum_i : sum_i;
  assign base = ExpInWidth'(exp_i);

  if (Scale == 0) begin : gen_power
    assign sign = negative;
    assign nan = nan_i || (&scale_a_i) || (&scale_b_i);
    assign magnitude = size;
    assign scaled = base + $signed(ExpInWidth'(scale_a_i)) + $signed(ExpInWidth'(scale_b_i)) -
        ExpInWidth'(254);
  end else begin : gen_float
    logic a_sign, b_sign, a_inf, b_inf, a_nan, b_nan;
    logic [3:0] a_exp, b_exp, a_sig, b_sig;
    logic [7:0] factor;
    fp_unpack #(
        .ExpWidth(4),
        .ManWidth(3),
        .Specials(1)
    ) u_unpack_a (
        .word_i(scale_a_i),
        .sign_o(a_sign),
        .exp_o (a_exp),
        .sig_o (a_sig),
        .inf_o (a_inf),
        .nan_o (a_nan)
    );
    fp_unpack #(
        .ExpWidth(4),
        .ManWidth(3),
        .Specials(1)
    ) u_unpack_b (
        .word_i(scale_b_i),
        .sign_o(b_sign),
        .exp_o (b_exp),
        .sig_o (b_sig),
        .inf_o (b_inf),
        .nan_o (b_nan)
    );
    assign factor = 8'(a_sig) * 8'(b_sig);
    assign sign = negative ^ a_sign ^ b_sign;
    assign nan = nan_i || a_inf || b_inf || a_nan || b_nan;
    assign magnitude = MagWidth'(size) * MagWidth'(factor);
    // Two biases of 7, two mantissas of 3 bits.
    assign scaled = base + $signed(ExpInWidth'(a_exp)) + $signed(ExpInWidth'(b_exp)) -
        ExpInWidth'(20);
  end

  logic [CountWidth-1:0] zeros;
  logic [MagWidth-1:0] normalised;
  logic [SigWidth-1:0] sig;
  logic signed [ExpInWidth-1:0] exponent;
  logic zero;
  fp_lzc #(
      .Width(MagWidth)
  ) u_lzc (
      .data_i (magnitude),
      .count_o(zeros)
  );
  assign normalised = magnitude << zeros;
  assign sig = SigWidth'(normalised) << (SigWidth - MagWidth);
  assign exponent = scaled + ExpInWidth'(127 + MagWidth - 1) - $signed(ExpInWidth'(zeros));
  assign zero = magnitude == '0;
  fp_round #(
      .ExpInWidth(ExpInWidth),
      .SigWidth  (SigWidth),
      .ExpWidth  (8),
      .ManWidth  (23),
      .Subnormals(Subnormals)
  ) u_round (
      .sign_i(sign && !zero),
      .exp_i (exponent),
      .sig_i (sig),
      .inf_i (1'b0),
      .nan_i (nan),
      .word_o(word_o)
  );
endmodule
