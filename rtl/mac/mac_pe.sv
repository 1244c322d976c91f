// Multiply-accumulate element: an encoded operand times a plain one, summed into its own registers.
//
// CarrySave = 0 resolves the sum every cycle: product, one 3:2 row, one carry-propagate adder and one
// register. CarrySave = 1 is OPT1 of arXiv 2503.06342: the partial products and the two registers go
// into one compressor (6:2 at 8 bits) and no carry propagates inside the loop; sum_o + carry_o is
// added once, outside, when the dot product is complete. Multiplier 0 has one (resolved) product.
// Latency: one cycle; one multiply-accumulate a cycle.
module mac_pe #(
  parameter int Width      = 8,   // bits of either operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of the accumulator, at least 2*Width
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int CarrySave  = 0,   // 0: one resolved register, 1: sum and carry registers
  parameter int EncWidth   =  // derived, do not set
    (Multiplier == 2) ? 3 * Width / 2 : (Multiplier >= 3) ? Width + 1 : Width
) (
  input  logic                clk_i,     // clock
  input  logic                enable_i,  // accumulate this cycle
  input  logic                clear_i,   // start a new sum with this product
  input  logic [EncWidth-1:0] enc_i,     // from operand_encoder with the same Multiplier
  input  logic [Width-1:0]    b_i,       // signed operand
  output logic [AccWidth-1:0] sum_o,     // sum_o + carry_o = dot product mod 2^AccWidth
  output logic [AccWidth-1:0] carry_o    // 0 where CarrySave is 0
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (CarrySave > 1) begin : gen_bad_carry_save
    $error("CarrySave must be 0 or 1, got %0d", CarrySave);
  end
`endif

  if (CarrySave == 1 && Multiplier > 0) begin : gen_compressed
    logic [Width/2*AccWidth-1:0] terms;
    operand_terms #(.Width(Width), .Multiplier(Multiplier), .OutWidth(AccWidth)) u_terms (
      .enc_i  (enc_i),
      .b_i    (b_i),
      .terms_o(terms)
    );
    csa_accumulator #(.Terms(Width / 2), .Width(AccWidth)) u_accumulator (
      .clk_i   (clk_i),
      .enable_i(enable_i),
      .clear_i (clear_i),
      .terms_i (terms),
      .sum_o   (sum_o),
      .carry_o (carry_o)
    );
  end else begin : gen_product
    logic [AccWidth-1:0] product_sum, product_carry;
    product #(.Width(Width), .Multiplier(Multiplier), .OutWidth(AccWidth)) u_product (
      .enc_i  (enc_i),
      .b_i    (b_i),
      .sum_o  (product_sum),
      .carry_o(product_carry)
    );
    if (CarrySave == 1) begin : gen_compressed
      // Only the behavioural product comes here: it is resolved, its carry word is 0.
      csa_accumulator #(.Terms(1), .Width(AccWidth)) u_accumulator (
        .clk_i   (clk_i),
        .enable_i(enable_i),
        .clear_i (clear_i),
        .terms_i (product_sum | product_carry),
        .sum_o   (sum_o),
        .carry_o (carry_o)
      );
    end else begin : gen_resolved
      // Three addends in one expression: synthesis compresses them and adds once.
      logic [AccWidth-1:0] sum_q, kept;
      assign kept = clear_i ? '0 : sum_q;
      always_ff @(posedge clk_i) begin
        if (enable_i) sum_q <= kept + product_sum + product_carry;
      end
      assign sum_o   = sum_q;
      assign carry_o = '0;
    end
  end

endmodule
