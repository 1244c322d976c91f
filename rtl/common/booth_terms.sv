// Radix-4 partial products: digits of one operand times the other, as Width/2 rows to be added.
//
// Row i is digit i * b * 4^i. Negation is inversion plus one; the ones of rows 0 to Width/2-2 sit in
// the empty low bits of the row above each. The one of the last row is added within its two lowest
// bits, and what is left joins the sign bits of row 0, so there is no further row (S.-R. Kuang,
// J.-P. Wang, C.-Y. Guo, "Modified Booth multipliers with a regular partial product array", IEEE
// Trans. Circuits and Systems II 56(5), 2009). Signs are not extended: row 0 starts with ~s s s, the
// others with 1 ~s, the last with ones (M. D. Ercegovac, T. Lang, "Digital Arithmetic", 2004, 4.2).
// Latency: combinational.
module booth_terms #(
  parameter int Width    = 8,  // bits of either operand, even
  parameter int OutWidth = 16  // bits of a row, at least 2*Width
) (
  input  logic [3*Width/2-1:0]        selects_i,  // digit i at [3*i +: 3]: {negative, two, one}
  input  logic [Width-1:0]            b_i,        // signed operand
  output logic [Width/2*OutWidth-1:0] terms_o     // rows; their sum is the product mod 2^OutWidth
);

  localparam int Digits = Width / 2;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 4 || Width % 2 != 0) begin : gen_bad_width
    $error("Width must be even and at least 4, got %0d", Width);
  end
  if (OutWidth < 2 * Width) begin : gen_bad_out_width
    $error("OutWidth must be at least 2*Width = %0d, got %0d", 2 * Width, OutWidth);
  end
`endif

  // The negation of the last row: its one is added to the two lowest bits; what they carry goes up.
  logic last_carry;

  for (genvar i = 0; i < Digits; i++) begin : gen_row
    logic one, two, negative;
    assign {negative, two, one} = selects_i[3*i+:3];

    logic [Width:0] multiple, value;  // |digit| * b, then inverted where the digit is negative
    assign multiple = ({Width + 1{one}} & {b_i[Width-1], b_i}) | ({Width + 1{two}} & {b_i, 1'b0});
    assign value    = multiple ^ {Width + 1{negative}};

    logic [OutWidth-1:0] row;
    if (i == 0) begin : gen_first
      logic sign, raised;  // raised: the carry of the last row is absorbed by the sign bits
      assign sign   = value[Width];
      assign raised = sign & ~last_carry;
      assign row    = OutWidth'({~raised, raised, sign ^ last_carry, value[Width-1:0]});
    end else if (i < Digits - 1) begin : gen_middle
      assign row = OutWidth'({1'b1, ~value[Width], value[Width-1:0], 1'b0, gen_row[i-1].negative})
                   << (2 * i - 2);
    end else begin : gen_last
      logic [1:0] low;
      assign low[0]     = multiple[0];
      assign low[1]     = multiple[1] ^ (negative & multiple[0]);
      assign last_carry = negative & ~multiple[1] & ~multiple[0];
      assign row = OutWidth'({
        {OutWidth - 2 * Width + 1{1'b1}}, ~value[Width], value[Width-1:2], low,
        1'b0, gen_row[i-1].negative
      }) << (2 * i - 2);
    end
    assign terms_o[i*OutWidth+:OutWidth] = row;
  end

endmodule
