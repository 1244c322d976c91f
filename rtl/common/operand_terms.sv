// Partial products of an encoded operand and a plain one, whatever the encoding: Width/2 rows.
//
// Latency: combinational.
module operand_terms #(
  parameter int Width      = 8,   // bits of either operand, even
  parameter int Multiplier = 3,   // 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int OutWidth   = 16,  // bits of a row, at least 2*Width
  parameter int EncWidth   =  // derived, do not set
    (Multiplier == 2) ? 3 * Width / 2 : (Multiplier >= 3) ? Width + 1 : Width
) (
  input  logic [EncWidth-1:0]         enc_i,   // from operand_encoder with the same Multiplier
  input  logic [Width-1:0]            b_i,     // signed operand
  output logic [Width/2*OutWidth-1:0] terms_o  // their sum is the product mod 2^OutWidth
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Multiplier < 1 || Multiplier > 4) begin : gen_bad_multiplier
    $error("Multiplier must be 1 to 4, got %0d", Multiplier);
  end
`endif

  logic [3*Width/2-1:0] selects;

  if (Multiplier == 1) begin : gen_inside
    booth_encoder #(.Width(Width)) u_encoder (.a_i(enc_i), .selects_o(selects));
  end else if (Multiplier == 2) begin : gen_booth
    assign selects = enc_i;
  end else begin : gen_ent
    ent_selects #(.Width(Width)) u_selects (.code_i(enc_i), .selects_o(selects));
  end

  booth_terms #(.Width(Width), .OutWidth(OutWidth)) u_terms (
    .selects_i(selects),
    .b_i      (b_i),
    .terms_o  (terms_o)
  );

endmodule
