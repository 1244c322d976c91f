// Rounds a normalised result to a format and packs it; all units end here and share the rules:
//   - Round 0: to nearest, ties to even; 1: towards zero.
//   - Subnormals 1: gradual underflow (default: the formats' standards ask for it, and E4M3 has
//     15 binades only); 0: results below the smallest normal number before rounding become zero.
//   - Overflow of numbers: Saturate 1, or rounding towards zero: largest number. Else infinity; a
//     format without infinities gives its NaN, one without NaN its largest number.
//   - NaN is positive and quiet: only the top mantissa bit set (Specials 0) or all ones (1).
// Rounding adds into {exponent, mantissa}: a carry out of the mantissa is the next exponent.
// Source: IEEE 754-2019 sections 4.3 and 7.4; OCP 8-bit Floating Point Specification 1.0.
// Combinational.
module fp_round #(
    // Bits of the signed exponent that comes in; at least ExpWidth + 2.
    parameter int ExpInWidth = 11,
    // Bits of the significand that comes in; at least ManWidth + 3.
    parameter int SigWidth = 16,
    // Bits of the exponent of the result.
    parameter int ExpWidth = 8,
    // Bits of the mantissa of the result.
    parameter int ManWidth = 7,
    // Codes that are no numbers: 0 IEEE 754, 1 OCP E4M3, 2 none.
    parameter int Specials = 0,
    // 1: gradual underflow; 0: flush to zero.
    parameter int Subnormals = 1,
    // 0: to nearest even; 1: towards zero.
    parameter int Round = 0,
    // 1: overflow of numbers gives the largest number.
    parameter int Saturate = 0,
    // 1: exponents below 1 are shifted to subnormals here; 0: the caller never gives one.
    parameter int Denormalise = 1
) (
    // 1: negative.
    input  logic                         sign_i,
    // Biased exponent of the significand's top bit.
    input  logic signed [ExpInWidth-1:0] exp_i,
    // Significand; its top bit is one, or the value is zero or (exponent 1) subnormal; the lowest
    // bit may be sticky.
    input  logic [         SigWidth-1:0] sig_i,
    // The result is an infinity, whatever the significand says.
    input  logic                         inf_i,
    // The result is not a number, whatever the rest says.
    input  logic                         nan_i,
    // The packed result.
    output logic [  ExpWidth+ManWidth:0] word_o
);
  localparam int MagWidth = ExpWidth + ManWidth;
  localparam int WideWidth = ExpInWidth + ManWidth;
  localparam logic [MagWidth-1:0] AllOnes = {MagWidth{1'b1}};
  localparam logic [MagWidth-1:0] Infinity = {{ExpWidth{1'b1}}, {ManWidth{1'b0}}};
  localparam logic [MagWidth-1:0] Largest = (Specials == 0) ? Infinity - 1'b1 :
      (Specials == 1) ? AllOnes - 1'b1 : AllOnes;
  localparam logic [MagWidth-1:0] Nan =
      (Specials == 0) ? (Infinity | (MagWidth'(1) << (ManWidth - 1))) : AllOnes;
  localparam logic [MagWidth-1:0] Overflowed =
      (Saturate != 0 || Round != 0 || Specials == 2) ? Largest : (Specials == 0) ? Infinity : Nan;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (ExpInWidth < ExpWidth + 2) begin : gen_bad_exponent
    $error("ExpInWidth must be at least ExpWidth + 2 = %0d, got %0d", ExpWidth + 2, ExpInWidth);
  end
  if (SigWidth < ManWidth + 3) begin : gen_bad_significand
    $error("SigWidth must be at least ManWidth + 3 = %0d, got %0d", ManWidth + 3, SigWidth);
  end
  if (Round > 1) begin : gen_bad_round
    $error("Round must be 0 (to nearest even) or 1 (towards zero), got %0d", Round);
  end
`endif

  logic tiny;  // below the smallest normal exponent
  logic [SigWidth-1:0] sig;
  assign tiny = exp_i < $signed(ExpInWidth'(1));
  if (Denormalise != 0 && Subnormals != 0) begin : gen_denormalise
    logic signed [ExpInWidth-1:0] below;
    logic [SigWidth-1:0] shifted;
    assign below = $signed(ExpInWidth'(1)) - exp_i;
    fp_shift_sticky #(
        .Width     (SigWidth),
        .ShiftWidth(ExpInWidth)
    ) u_shift (
        .data_i (sig_i),
        .shift_i($unsigned(below)),
        .data_o (shifted)
    );
    assign sig = tiny ? shifted : sig_i;
  end else begin : gen_as_is
    assign sig = sig_i;
  end

  // A clear top bit says subnormal or zero: exponent field 0, the bits below it are the mantissa.
  logic normal, guard, sticky, up;
  logic [WideWidth-1:0] exact, rounded;
  logic [ ManWidth-1:0] mantissa;
  assign normal = sig[SigWidth-1];
  assign mantissa = sig[SigWidth-2-:ManWidth];
  assign guard = sig[SigWidth-2-ManWidth];
  assign sticky = |sig[SigWidth-3-ManWidth:0];
  assign up = (Round == 0) && guard && (sticky || mantissa[0]);
  assign exact = {normal ? $unsigned(exp_i) : ExpInWidth'(0), mantissa};
  assign rounded = exact + WideWidth'(up);

  logic overflow, flush;
  logic [MagWidth-1:0] fitting, magnitude;
  assign fitting = rounded[MagWidth-1:0];
  assign overflow = rounded > WideWidth'(Largest);
  assign flush = (Subnormals == 0) && (tiny || !normal);
  always_comb begin
    magnitude = fitting;
    if (flush) magnitude = '0;
    else if (overflow) magnitude = Overflowed;
    if (inf_i) magnitude = (Specials == 0) ? Infinity : (Specials == 1) ? Nan : Largest;
    if (nan_i) magnitude = (Specials == 2) ? Largest : Nan;
  end
  assign word_o = {sign_i && !(nan_i && Specials != 2), magnitude};
endmodule
