// Encoder of the operand that is reused: what travels to the processing elements in its place.
//
// Hoisting it out of the elements is the optimisation of EN-T (arXiv 2404.11887): one encoder serves
// every element that the operand passes. Multiplier 0 (behavioural) and 1 (Booth in the element)
// send the operand itself, 2 sends Booth select lines, 3 and 4 send the EN-T code.
// Latency: combinational.
module operand_encoder #(
  parameter int Width      = 8,  // bits of the operand, even
  parameter int Multiplier = 3,  // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int EncWidth   =  // derived, do not set
    (Multiplier == 2) ? 3 * Width / 2 : (Multiplier >= 3) ? Width + 1 : Width
) (
  input  logic [Width-1:0]    a_i,   // signed operand
  output logic [EncWidth-1:0] enc_o  // what `product` takes for it
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Multiplier > 4) begin : gen_bad_multiplier
    $error("Multiplier must be 0 to 4, got %0d", Multiplier);
  end
`endif

  if (Multiplier == 2) begin : gen_booth
    booth_encoder #(.Width(Width)) u_encoder (.a_i(a_i), .selects_o(enc_o));
  end else if (Multiplier >= 3) begin : gen_ent
    ent_encoder #(.Width(Width)) u_encoder (.a_i(a_i), .code_o(enc_o));
  end else begin : gen_plain
    assign enc_o = a_i;
  end

endmodule
