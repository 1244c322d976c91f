// Element of the weight-stationary systolic array: a passes right, the partial sum down.
//
// The weight is loaded from above: with WeightBuffer = 1 into a second register, from which swap_i
// takes it as it passes with the first operand that is to use it; without, the only register
// shifts. CarrySave = 1 passes the partial sum on as a pair (OPT1 of arXiv 2503.06342).
// Latency: a one cycle, partial sums one cycle after it.
module systolic_ws_pe #(
  parameter int Width        = 8,   // bits of an operand
  parameter int AccWidth     = 32,  // bits of a partial sum
  parameter int Multiplier   = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int CarrySave    = 0,   // 1: partial sums are pairs
  parameter int WeightBuffer = 1,   // 1: the next weight is loaded beside the one in use
  parameter int EncWidth     = (Multiplier == 2) ? 3 * Width / 2
                             : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                clk_i,     // clock
  input  logic                enable_i,  // everything moves
  input  logic                load_i,    // weights shift down
  input  logic [Width-1:0]    weight_i,  // from above
  input  logic                swap_i,    // with enc_i: use the loaded weight from now on
  input  logic [EncWidth-1:0] enc_i,     // from the left
  input  logic [AccWidth-1:0] sum_i,     // partial sum from above
  input  logic [AccWidth-1:0] carry_i,   // 0 where CarrySave is 0
  output logic [Width-1:0]    weight_o,  // to below
  output logic                swap_o,    // to the right
  output logic [EncWidth-1:0] enc_o,     // to the right
  output logic [AccWidth-1:0] sum_o,     // partial sum to below
  output logic [AccWidth-1:0] carry_o    // 0 where CarrySave is 0
);

  logic                swap_q;
  logic [EncWidth-1:0] enc_q;
  logic [Width-1:0]    weight, loaded_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      swap_q <= swap_i;
      enc_q  <= enc_i;
      if (load_i) loaded_q <= weight_i;
    end
  end

  if (WeightBuffer != 0) begin : gen_buffer
    logic [Width-1:0] weight_q;
    always_ff @(posedge clk_i) begin
      if (enable_i && swap_i) weight_q <= loaded_q;
    end
    assign weight = weight_q;
  end else begin : gen_single
    assign weight = loaded_q;
  end

  logic [AccWidth-1:0] product_sum, product_carry, sum_q;
  product #(.Width(Width), .Multiplier(Multiplier), .OutWidth(AccWidth)) u_product (
    .enc_i  (enc_q),
    .b_i    (weight),
    .sum_o  (product_sum),
    .carry_o(product_carry)
  );

  if (CarrySave != 0) begin : gen_compressed
    logic [AccWidth-1:0] sum, carry, carry_q;
    if (Multiplier == 0) begin : gen_resolved_product
      csa_tree #(.Inputs(3), .Width(AccWidth)) u_tree (
        .terms_i({product_sum, carry_i, sum_i}),
        .sum_o  (sum),
        .carry_o(carry)
      );
      logic unused_carry;
      assign unused_carry = ^product_carry;
    end else begin : gen_pair_product
      csa_tree #(.Inputs(4), .Width(AccWidth)) u_tree (
        .terms_i({product_carry, product_sum, carry_i, sum_i}),
        .sum_o  (sum),
        .carry_o(carry)
      );
    end
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        sum_q   <= sum;
        carry_q <= carry;
      end
    end
    assign carry_o = carry_q;
  end else begin : gen_resolved
    logic [AccWidth-1:0] sum, carry;
    if (Multiplier == 0) begin : gen_add
      assign sum   = product_sum;
      assign carry = sum_i;
      logic unused_carry;
      assign unused_carry = ^product_carry;
    end else begin : gen_compress
      csa_tree #(.Inputs(3), .Width(AccWidth)) u_tree (
        .terms_i({product_carry, product_sum, sum_i}),
        .sum_o  (sum),
        .carry_o(carry)
      );
    end
    always_ff @(posedge clk_i) begin
      if (enable_i) sum_q <= sum + carry;
    end
    assign carry_o = '0;
    logic unused_carry_in;
    assign unused_carry_in = ^carry_i;
  end

  assign weight_o = loaded_q;
  assign swap_o   = swap_q;
  assign enc_o    = enc_q;
  assign sum_o    = sum_q;

endmodule
