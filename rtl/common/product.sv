// Signed product of an encoded operand and a plain one, in carry-save form.
//
// Multiplier 0 is the behavioural `*`, whose architecture is the synthesis tool's; the others add
// Width/2 radix-4 partial products in a carry-save tree.
// Latency: combinational.
module product #(
  parameter int Width      = 8,   // bits of either operand, even
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int OutWidth   = 16,  // bits of the results, at least 2*Width
  parameter int EncWidth   =  // derived, do not set
    (Multiplier == 2) ? 3 * Width / 2 : (Multiplier >= 3) ? Width + 1 : Width
) (
  input  logic [EncWidth-1:0] enc_i,   // from operand_encoder with the same Multiplier
  input  logic [Width-1:0]    b_i,     // signed operand
  output logic [OutWidth-1:0] sum_o,   // sum_o + carry_o = a * b mod 2^OutWidth
  output logic [OutWidth-1:0] carry_o  // 0 for the behavioural multiplier
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (OutWidth < 2 * Width) begin : gen_bad_out_width
    $error("OutWidth must be at least 2*Width = %0d, got %0d", 2 * Width, OutWidth);
  end
`endif

  if (Multiplier == 0) begin : gen_behavioural
    logic signed [Width-1:0]    a, b;
    logic signed [OutWidth-1:0] ab;
    assign a       = enc_i;
    assign b       = b_i;
    assign ab      = a * b;
    assign sum_o   = ab;
    assign carry_o = '0;
  end else begin : gen_terms
    logic [Width/2*OutWidth-1:0] terms;
    operand_terms #(.Width(Width), .Multiplier(Multiplier), .OutWidth(OutWidth)) u_terms (
      .enc_i  (enc_i),
      .b_i    (b_i),
      .terms_o(terms)
    );
    csa_tree #(.Inputs(Width / 2), .Width(OutWidth)) u_tree (
      .terms_i(terms),
      .sum_o  (sum_o),
      .carry_o(carry_o)
    );
  end

endmodule
