// A floating-point word taken apart: sign, biased exponent, significand with its leading bit,
// class.
// Exponent 0 (subnormal) reads as exponent 1 with leading bit 0, so
// value = sig * 2**(exp - bias - ManWidth).
// Specials: 0 as IEEE 754 (infinities and NaN in the top exponent); 1 as OCP FP8 E4M3 (no infinity,
// one NaN: all ones); 2 as OCP FP4 and FP6 (every code is a number).
// Source: IEEE 754-2019 section 3.4; OCP 8-bit Floating Point Specification 1.0; OCP Microscaling
// Formats Specification 1.0. Combinational.
module fp_unpack #(
    // Bits of the exponent.
    parameter int ExpWidth = 8,
    // Bits of the mantissa (leading bit not counted).
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: subnormals are numbers; 0: they read as zero.
    parameter int Subnormals = 1
) (
    // The word.
    input  logic [ExpWidth+ManWidth:0] word_i,
    // 1: negative.
    output logic                       sign_o,
    // Biased exponent, at least 1.
    output logic [       ExpWidth-1:0] exp_o,
    // Significand; 0 for zero.
    output logic [         ManWidth:0] sig_o,
    // It is an infinity.
    output logic                       inf_o,
    // It is not a number.
    output logic                       nan_o
);
`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (ExpWidth < 2) begin : gen_bad_exponent
    $error("ExpWidth must be at least 2, got %0d", ExpWidth);
  end
  if (ManWidth < 1) begin : gen_bad_mantissa
    $error("ManWidth must be at least 1, got %0d", ManWidth);
  end
  if (Specials > 2) begin : gen_bad_specials
    $error("Specials must be 0, 1 or 2, got %0d", Specials);
  end
`endif

  logic [ExpWidth-1:0] exponent;
  logic [ManWidth-1:0] mantissa;
  logic                normal;
  assign {sign_o, exponent, mantissa} = word_i;
  assign normal = |exponent;
  assign exp_o = normal ? exponent : ExpWidth'(1);
  assign sig_o = {normal, (Subnormals != 0 || normal) ? mantissa : ManWidth'(0)};

  if (Specials == 0) begin : gen_ieee
    assign inf_o = (&exponent) && !(|mantissa);
    assign nan_o = (&exponent) && (|mantissa);
  end else if (Specials == 1) begin : gen_one_nan
    assign inf_o = 1'b0;
    assign nan_o = (&exponent) && (&mantissa);
  end else begin : gen_numbers
    assign inf_o = 1'b0;
    assign nan_o = 1'b0;
  end
endmodule
