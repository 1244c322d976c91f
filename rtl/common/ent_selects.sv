// EN-T code to the select lines of partial products: {negative, two, one} a digit.
//
// The sign of the operand is applied here, digit by digit: -x has the digits of x, each negated.
// Latency: combinational, two gates; this is all that stays in a processing element of the decoder.
module ent_selects #(
  parameter int Width = 8  // bits of the operand that was encoded, even
) (
  input  logic [Width:0]       code_i,    // {sign, digits} of ent_encoder
  output logic [3*Width/2-1:0] selects_o  // digit i at [3*i +: 3]: {negative, two, one}
);

  for (genvar i = 0; i < Width / 2; i++) begin : gen_digit
    logic high, low;
    assign high = code_i[2*i+1];
    assign low  = code_i[2*i];
    assign selects_o[3*i]   = low;
    assign selects_o[3*i+1] = high & ~low;
    assign selects_o[3*i+2] = code_i[Width] ^ (high & low);
  end

endmodule
