// Radix-4 modified Booth encoder: a signed operand to Width/2 digits of {-2, -1, 0, 1, 2}.
//
// Digit i is -2*a[2i+1] + a[2i] + a[2i-1] with a[-1] = 0 (O. L. MacSorley, "High-speed arithmetic
// in binary computers", Proc. IRE 49(1), 1961). Three select lines a digit: {negative, two, one}.
// Latency: combinational; the digits do not depend on one another.
module booth_encoder #(
  parameter int Width = 8  // bits of the operand, even
) (
  input  logic [Width-1:0]     a_i,        // signed operand
  output logic [3*Width/2-1:0] selects_o   // digit i at [3*i +: 3]: {negative, two, one}
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 2 || Width % 2 != 0) begin : gen_bad_width
    $error("Width must be even and at least 2, got %0d", Width);
  end
`endif

  logic [Width:0] padded;  // a_i with the zero below its lowest bit
  assign padded = {a_i, 1'b0};

  for (genvar i = 0; i < Width / 2; i++) begin : gen_digit
    logic high, middle, low;
    assign high   = padded[2*i+2];
    assign middle = padded[2*i+1];
    assign low    = padded[2*i];
    assign selects_o[3*i]   = middle ^ low;
    assign selects_o[3*i+1] = (high & ~middle & ~low) | (~high & middle & low);
    assign selects_o[3*i+2] = high;  // -0 for the window 111: its term is 0 all the same
  end

endmodule
