// EN-T encoder: a signed operand to its sign and Width/2 digits of {-1, 0, 1, 2}, two bits each.
//
// The magnitude is cut in groups of two bits; group + carry-in is the digit, 3 means -1 and carries
// one into the next group (EN-T, arXiv 2404.11887; gate form as in the RTL of the same group,
// github.com/wqzustc/High-Performance-Tensor-Processing-Engines). The code is Width + 1 bits
// where Booth selects are 3*Width/2. The highest group needs no digit above it: a magnitude below
// 2^(Width-1) has 0 or 1 there, plus the carry at most 2, and 2^(Width-1) itself is 2 with no carry.
// Latency: combinational; the carry ripples through Width/2 groups.
module ent_encoder #(
  parameter int Width = 8  // bits of the operand, even
) (
  input  logic [Width-1:0] a_i,    // signed operand
  output logic [Width:0]   code_o  // {sign, digits}; digit i at [2*i +: 2]: 0, 1, 2, 3 (= -1)
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 2 || Width % 2 != 0) begin : gen_bad_width
    $error("Width must be even and at least 2, got %0d", Width);
  end
`endif

  logic             sign;
  logic [Width-1:0] magnitude;  // unsigned: -2^(Width-1) gives 2^(Width-1)
  assign sign      = a_i[Width-1];
  assign magnitude = sign ? (~a_i + 1'b1) : a_i;

  logic [Width/2-1:0] carry  /* verilator split_var */;  // into each group
  assign carry[0] = 1'b0;

  for (genvar i = 0; i < Width / 2; i++) begin : gen_digit
    logic high, low;
    assign high = magnitude[2*i+1];
    assign low  = magnitude[2*i];
    assign code_o[2*i]   = low ^ carry[i];
    assign code_o[2*i+1] = high ^ (low & carry[i]);
    if (i < Width / 2 - 1) begin : gen_carry
      assign carry[i+1] = (high & low) | (high & carry[i]);
    end
  end
  assign code_o[Width] = sign;

endmodule
