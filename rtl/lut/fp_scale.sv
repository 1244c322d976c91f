// A floating-point word times 2**shift, without a multiplier: the shift is added to the exponent. Combinational.
// Zero stays zero (a subnormal reads as zero), a result beyond the largest number is infinity, infinities and NaN pass:
// the published RTL adds to the exponent of zeros and lets it wrap (microsoft/T-MAC, branch LUTTensorCore_ISCA25).
module fp_scale #(
  parameter int ExpWidth = 5,   // bits of the exponent
  parameter int ManWidth = 10,  // bits of the mantissa
  parameter int ShiftWidth = 1  // bits of the shift
) (
  input  logic [ExpWidth+ManWidth:0] word_i,   // the word
  input  logic [ShiftWidth-1:0]      shift_i,  // log2 of the factor
  output logic [ExpWidth+ManWidth:0] word_o    // the product
);
  localparam int SumWidth = ((ExpWidth > ShiftWidth) ? ExpWidth : ShiftWidth) + 1;
  logic sign;
  logic [ExpWidth-1:0] exponent;
  logic [ManWidth-1:0] mantissa;
  assign {sign, exponent, mantissa} = word_i;
  wire [SumWidth-1:0] sum = SumWidth'(exponent) + SumWidth'(shift_i);
  wire special = &exponent;
  wire beyond = sum >= SumWidth'(2 ** ExpWidth - 1);
  always_comb begin
    word_o = {sign, sum[ExpWidth-1:0], mantissa};
    if (exponent == '0) word_o = {sign, {(ExpWidth + ManWidth) {1'b0}}};
    else if (special) word_o = word_i;
    else if (beyond) word_o = {sign, {ExpWidth{1'b1}}, {ManWidth{1'b0}}};
  end
endmodule
