// What one step of a dot product adds to the accumulator: Depth products as few words.
//
// Form 0 (classic): every product and every level of the adder tree is resolved; one word.
// Form 1 (OPT1 of arXiv 2503.06342): partial products of all lanes, unresolved; Depth*Width/2
// words (Depth resolved products where Multiplier is 0).
// Form 2 (OPT2): a pair for each bit weight, summed over the lanes before the shift, unsigned and
// too large by Depth * 2^Width (see bit_weight_sums); Width words.
// Latency: combinational.
module dot_terms #(
  parameter int Depth      = 4,   // lanes
  parameter int Width      = 8,   // bits of an operand
  parameter int AccWidth   = 32,  // bits of the accumulator
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int Form       = 0,   // see above
  parameter int EncWidth   = (Multiplier == 2) ? 3 * Width / 2
                           : (Multiplier >= 3) ? Width + 1 : Width,  // derived, do not set
  parameter int Words      = (Form == 0) ? 1 : (Form == 2) ? Width
                           : (Multiplier == 0) ? Depth : Depth * Width / 2,  // derived
  parameter int WordWidth  = (Form == 0) ? 2 * Width + $clog2(Depth)
                           : (Form == 2) ? 1 + $clog2(Depth * (1 << Width) + 1)
                           : (Multiplier == 0) ? 2 * Width : AccWidth  // derived, do not set
) (
  input  logic [Depth*EncWidth-1:0]   enc_i,   // lane k at [k*EncWidth +: EncWidth]
  input  logic [Depth*Width-1:0]      b_i,     // signed operand of lane k
  output logic [Words*WordWidth-1:0]  words_o  // Form 2: words 2j, 2j + 1 weigh 4^j
);

  if (Form == 2) begin : gen_weights
    logic [Depth*3*Width/2-1:0] selects;
    for (genvar k = 0; k < Depth; k++) begin : gen_lane
      if (Multiplier == 1) begin : gen_inside
        booth_encoder #(.Width(Width)) u_encoder (
          .a_i      (enc_i[k*EncWidth+:EncWidth]),
          .selects_o(selects[k*3*Width/2+:3*Width/2])
        );
      end else if (Multiplier == 2) begin : gen_booth
        assign selects[k*3*Width/2+:3*Width/2] = enc_i[k*EncWidth+:EncWidth];
      end else begin : gen_ent
        ent_selects #(.Width(Width)) u_selects (
          .code_i   (enc_i[k*EncWidth+:EncWidth]),
          .selects_o(selects[k*3*Width/2+:3*Width/2])
        );
      end
    end
    bit_weight_sums #(.Depth(Depth), .Width(Width), .TreeWidth(WordWidth)) u_sums (
      .selects_i(selects),
      .b_i      (b_i),
      .words_o  (words_o)
    );
  end else if (Form == 1 && Multiplier > 0) begin : gen_partial
    for (genvar k = 0; k < Depth; k++) begin : gen_lane
      operand_terms #(.Width(Width), .Multiplier(Multiplier), .OutWidth(WordWidth)) u_terms (
        .enc_i  (enc_i[k*EncWidth+:EncWidth]),
        .b_i    (b_i[k*Width+:Width]),
        .terms_o(words_o[k*Width/2*WordWidth+:Width/2*WordWidth])
      );
    end
  end else begin : gen_products
    logic [Depth*2*Width-1:0] products;
    for (genvar k = 0; k < Depth; k++) begin : gen_lane
      logic [2*Width-1:0] sum, carry;
      product #(.Width(Width), .Multiplier(Multiplier), .OutWidth(2 * Width)) u_product (
        .enc_i  (enc_i[k*EncWidth+:EncWidth]),
        .b_i    (b_i[k*Width+:Width]),
        .sum_o  (sum),
        .carry_o(carry)
      );
      assign products[k*2*Width+:2*Width] = sum + carry;
    end
    if (Form == 1) begin : gen_apart
      assign words_o = products;
    end else begin : gen_tree
      sum_tree #(.Inputs(Depth), .InWidth(2 * Width), .OutWidth(WordWidth)) u_tree (
        .terms_i(products),
        .sum_o  (words_o)
      );
    end
  end

endmodule
