// A floating-point word in a wider format, exactly; a subnormal reads as zero. Combinational.
module fp_widen #(
  parameter int ExpWidth = 5,      // bits of the exponent
  parameter int ManWidth = 10,     // bits of the mantissa
  parameter int ExpOutWidth = 8,   // bits of the wider exponent
  parameter int ManOutWidth = 23   // bits of the wider mantissa
) (
  input  logic [ExpWidth+ManWidth:0]       word_i,  // the word
  output logic [ExpOutWidth+ManOutWidth:0] word_o   // the same number
);
  localparam int Rebias = 2 ** (ExpOutWidth - 1) - 2 ** (ExpWidth - 1);
  logic sign;
  logic [ExpWidth-1:0] exponent;
  logic [ManWidth-1:0] mantissa;
  assign {sign, exponent, mantissa} = word_i;
  logic [ExpOutWidth-1:0] wide;
  always_comb begin
    wide = ExpOutWidth'(exponent) + ExpOutWidth'(Rebias);
    if (&exponent) wide = '1;
    if (exponent == '0) wide = '0;
  end
  wire [ManOutWidth-1:0] fraction = ManOutWidth'(mantissa) << (ManOutWidth - ManWidth);
  assign word_o = {sign, wide, (exponent == '0) ? '0 : fraction};
endmodule
