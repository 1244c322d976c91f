// Product, register, accumulator: a multiply-accumulate element in two cycles.
//
// The register holds the product as a pair (a word for the behavioural multiplier), so the first
// cycle has no carry chain either. Latency: two cycles; one multiply-accumulate a cycle.
module mac_stages #(
  parameter int Width      = 8,   // bits of either operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of the accumulator, at least 2*Width
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int CarrySave  = 0,   // 0: one resolved register, 1: sum and carry registers
  parameter int EncWidth   = (Multiplier == 2) ? 3 * Width / 2
                           : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                clk_i,    // clock
  input  logic                clear_i,  // the product in the register starts a new sum
  input  logic [EncWidth-1:0] enc_i,    // from operand_encoder with the same Multiplier
  input  logic [Width-1:0]    b_i,      // signed operand, 0 in an idle cycle
  output logic [AccWidth-1:0] sum_o,    // sum_o + carry_o = dot product mod 2^AccWidth
  output logic [AccWidth-1:0] carry_o   // 0 where CarrySave is 0
);

  // The behavioural product is one word.
  localparam int Terms = (Multiplier == 0) ? 1 : 2;

  logic [2*AccWidth-1:0]     pair;
  logic [Terms*AccWidth-1:0] product_q;

  product #(.Width(Width), .Multiplier(Multiplier), .OutWidth(AccWidth)) u_product (
    .enc_i  (enc_i),
    .b_i    (b_i),
    .sum_o  (pair[AccWidth-1:0]),
    .carry_o(pair[2*AccWidth-1:AccWidth])
  );

  always_ff @(posedge clk_i) begin
    product_q <= pair[Terms*AccWidth-1:0];
  end

  if (Terms == 1) begin : gen_word
    logic unused_carry;
    assign unused_carry = ^pair[2*AccWidth-1:AccWidth];
  end

  accumulator #(.Terms(Terms), .Width(AccWidth), .CarrySave(CarrySave)) u_accumulator (
    .clk_i   (clk_i),
    .enable_i(1'b1),
    .clear_i (clear_i),
    .terms_i (product_q),
    .sum_o   (sum_o),
    .carry_o (carry_o)
  );

endmodule
