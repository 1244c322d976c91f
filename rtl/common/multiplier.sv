// Signed multiplier with a resolved product: encoder, partial products, tree and one adder.
//
// What `product` and its encoders compute together, for multipliers that stand alone and for proofs.
// Latency: combinational.
module multiplier #(
  parameter int Width      = 8,  // bits of either operand, even
  parameter int Multiplier = 1   // 0 `*`, 1 and 2 Booth, 3 and 4 EN-T
) (
  input  logic [Width-1:0]   a_i,       // signed operand, encoded
  input  logic [Width-1:0]   b_i,       // signed operand
  output logic [2*Width-1:0] product_o  // signed product
);

  localparam int EncWidth = (Multiplier == 2) ? 3 * Width / 2
                          : (Multiplier >= 3) ? Width + 1 : Width;

  logic [EncWidth-1:0]  enc;
  logic [2*Width-1:0]   sum, carry;

  operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (
    .a_i  (a_i),
    .enc_o(enc)
  );
  product #(.Width(Width), .Multiplier(Multiplier), .OutWidth(2 * Width)) u_product (
    .enc_i  (enc),
    .b_i    (b_i),
    .sum_o  (sum),
    .carry_o(carry)
  );
  assign product_o = sum + carry;

endmodule
