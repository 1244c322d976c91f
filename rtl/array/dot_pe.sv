// Dot-product element: Depth products a cycle, summed into its own accumulator.
//
// CarrySave = 0 resolves the sum every cycle, CarrySave = 1 (OPT1 of arXiv 2503.06342) keeps it
// as a pair that is added outside, once per result. Reduction = 1 (OPT2) adds the terms of one
// bit weight over the lanes before they are shifted. An idle cycle is one with b_i = 0 and
// first_i = 0. Latency: 1 + Pipeline cycles; a step every cycle.
module dot_pe #(
  parameter int Depth      = 1,   // lanes
  parameter int Width      = 8,   // bits of an operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of the accumulator
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth, 3 and 4 EN-T outside
  parameter int CarrySave  = 0,   // 0: one resolved register, 1: sum and carry registers
  parameter int Reduction  = 0,   // 0: lane by lane, 1: bit weight by bit weight
  parameter int Pipeline   = 0,   // 1: a register before the accumulator
  parameter int EncWidth   = (Multiplier == 2) ? 3 * Width / 2
                           : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                      clk_i,    // clock
  input  logic                      first_i,  // start a new sum with this step
  input  logic [Depth*EncWidth-1:0] enc_i,    // lane k at [k*EncWidth +: EncWidth]
  input  logic [Depth*Width-1:0]    b_i,      // signed operand of lane k
  output logic [AccWidth-1:0]       sum_o,    // sum_o + carry_o = dot product mod 2^AccWidth
  output logic [AccWidth-1:0]       carry_o   // 0 where CarrySave is 0
);

  localparam int Form = (Reduction != 0) ? 2 : (CarrySave != 0) ? 1 : 0;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Reduction != 0 && Multiplier == 0) begin : gen_bad_reduction
    $error("Reduction by bit weight needs digits: Multiplier 1 to 4, got %0d", Multiplier);
  end
  if (AccWidth < 2 * Width + $clog2(Depth)) begin : gen_bad_acc_width
    $error("AccWidth must be at least %0d, got %0d", 2 * Width + $clog2(Depth), AccWidth);
  end
`endif

  if (Depth == 1 && Pipeline == 0 && Reduction == 0) begin : gen_mac
    mac_pe #(
      .Width     (Width),
      .AccWidth  (AccWidth),
      .Multiplier(Multiplier),
      .CarrySave (CarrySave)
    ) u_mac (
      .clk_i   (clk_i),
      .enable_i(1'b1),
      .clear_i (first_i),
      .enc_i   (enc_i),
      .b_i     (b_i),
      .sum_o   (sum_o),
      .carry_o (carry_o)
    );
  end else begin : gen_dot
    localparam int Words     = (Form == 0) ? 1 : (Form == 2) ? Width
                             : (Multiplier == 0) ? Depth : Depth * Width / 2;
    localparam int WordWidth = (Form == 0) ? 2 * Width + $clog2(Depth)
                             : (Form == 2) ? 1 + $clog2(Depth * (1 << Width) + 1)
                             : (Multiplier == 0) ? 2 * Width : AccWidth;
    // Unresolved partial products are compressed to a pair before a register: it is less wide.
    localparam int Pair    = (Form == 1 && Pipeline != 0) ? 1 : 0;
    localparam int Addends = (Pair != 0) ? 2 : (Form == 2) ? Words + 1 : Words;
    // What the words of Form 2 are too large by: Depth * 2^Width times 1 + 4 + ... + 4^(Width/2-1).
    localparam logic [63:0] Raised = (64'(Depth) << Width) * (((64'd1 << Width) - 64'd1) / 64'd3);

    logic [Words*WordWidth-1:0] words;
    dot_terms #(
      .Depth     (Depth),
      .Width     (Width),
      .AccWidth  (AccWidth),
      .Multiplier(Multiplier),
      .Form      (Form)
    ) u_terms (
      .enc_i  (enc_i),
      .b_i    (b_i),
      .words_o(words)
    );

    // Register, if any, and the extension to the width of the accumulator.
    logic                         first;
    logic [Addends*AccWidth-1:0]  addends;

    if (Pair != 0) begin : gen_pair
      logic [Words*AccWidth-1:0] wide_words;
      for (genvar w = 0; w < Words; w++) begin : gen_word
        logic signed [WordWidth-1:0] word;
        logic signed [AccWidth-1:0]  wide;
        assign word = words[w*WordWidth+:WordWidth];
        assign wide = AccWidth'(word);
        assign wide_words[w*AccWidth+:AccWidth] = wide;
      end
      logic [AccWidth-1:0] sum, carry, sum_q, carry_q;
      logic                first_q;
      csa_tree #(.Inputs(Words), .Width(AccWidth)) u_tree (
        .terms_i(wide_words),
        .sum_o  (sum),
        .carry_o(carry)
      );
      always_ff @(posedge clk_i) begin
        first_q <= first_i;
        sum_q   <= sum;
        carry_q <= carry;
      end
      assign first   = first_q;
      assign addends = {carry_q, sum_q};
    end else begin : gen_words
      logic [Words*WordWidth-1:0] step;
      if (Pipeline != 0) begin : gen_register
        logic [Words*WordWidth-1:0] words_q;
        logic                       first_q;
        always_ff @(posedge clk_i) begin
          first_q <= first_i;
          words_q <= words;
        end
        assign first = first_q;
        assign step  = words_q;
      end else begin : gen_wire
        assign first = first_i;
        assign step  = words;
      end
      for (genvar w = 0; w < Words; w++) begin : gen_word
        logic signed [WordWidth-1:0] word;
        logic signed [AccWidth-1:0]  wide;
        assign word = step[w*WordWidth+:WordWidth];
        if (Form == 2) begin : gen_weight
          assign wide = AccWidth'({1'b0, word}) << (2 * (w / 2));
        end else begin : gen_signed
          assign wide = AccWidth'(word);
        end
        assign addends[w*AccWidth+:AccWidth] = wide;
      end
      if (Form == 2) begin : gen_raised
        assign addends[Words*AccWidth+:AccWidth] = AccWidth'(-Raised);
      end
    end

    if (CarrySave != 0) begin : gen_compressed
      csa_accumulator #(.Terms(Addends), .Width(AccWidth)) u_accumulator (
        .clk_i   (clk_i),
        .enable_i(1'b1),
        .clear_i (first),
        .terms_i (addends),
        .sum_o   (sum_o),
        .carry_o (carry_o)
      );
    end else begin : gen_resolved
      logic [AccWidth-1:0] sum_q, kept, sum, carry;
      assign kept = first ? '0 : sum_q;
      if (Addends == 1) begin : gen_add
        assign sum   = addends;
        assign carry = kept;
      end else begin : gen_compress
        csa_tree #(.Inputs(Addends + 1), .Width(AccWidth)) u_tree (
          .terms_i({addends, kept}),
          .sum_o  (sum),
          .carry_o(carry)
        );
      end
      always_ff @(posedge clk_i) sum_q <= sum + carry;
      assign sum_o   = sum_q;
      assign carry_o = '0;
    end
  end

endmodule
