// Results of a column of digit elements: pairs are read one after another through one adder.
//
// Horner = 1: the pairs are results. Horner = 0: a pair is the sum of one bit weight, lowest first;
// the sums so far wait in a ring of words. Word = Word / 4 + pair: the two bits that leave are final
// and are kept below, so neither the adder nor the pairs are wider than one bit weight needs.
// Latency: two cycles from the pair to the word (selection, addition), with one column one (there
// read_i and add_i are the same); a pair every cycle.
module digit_drain #(
  parameter int Columns    = 16,  // elements
  parameter int Width      = 8,   // bits of an encoded operand
  parameter int AccWidth   = 32,  // bits of a result
  parameter int Horner     = 0,   // see digit_pe
  parameter int PairWidth  = (Horner == 1) ? AccWidth : AccWidth - Width + 2,  // derived, do not set
  parameter int IndexWidth = (Columns > 1) ? $clog2(Columns) : 1               // derived, do not set
) (
  input  logic                         clk_i,    // clock
  input  logic                         read_i,   // take the pair of the column
  input  logic                         add_i,    // add the pair taken last
  input  logic [IndexWidth-1:0]        index_i,  // the column
  input  logic                         first_i,  // with add_i: it is of the lowest bit weight
  input  logic [Columns*PairWidth-1:0] sum_i,    // column c at [c*PairWidth +: PairWidth]
  input  logic [Columns*PairWidth-1:0] carry_i,  // see sum_i
  output logic [AccWidth-1:0]          word_o    // the column added last; valid after the last pass
);

  logic [PairWidth-1:0] sum, carry;  // of the column that is added now

  if (Columns > 1) begin : gen_select
    logic [PairWidth-1:0] sum_d, carry_d, sum_q, carry_q;
    always_comb begin
      sum_d   = '0;
      carry_d = '0;
      for (int c = 0; c < Columns; c++) begin
        if (index_i == IndexWidth'(c)) begin
          sum_d   = sum_d | sum_i[c*PairWidth+:PairWidth];
          carry_d = carry_d | carry_i[c*PairWidth+:PairWidth];
        end
      end
    end
    always_ff @(posedge clk_i) begin
      if (read_i) begin
        sum_q   <= sum_d;
        carry_q <= carry_d;
      end
    end
    assign sum   = sum_q;
    assign carry = carry_q;
  end else begin : gen_only
    assign sum   = sum_i;
    assign carry = carry_i;
    logic unused_controls;
    assign unused_controls = index_i[0] ^ read_i;
  end

  if (Horner == 1) begin : gen_pairs
    result_register #(.Width(AccWidth), .CarrySave(1)) u_result (
      .clk_i   (clk_i),
      .enable_i(add_i),
      .sum_i   (sum),
      .carry_i (carry),
      .data_o  (word_o)
    );
    logic unused_first;
    assign unused_first = first_i;
  end else begin : gen_weights
    localparam int Low = Width - 2;  // bits below those of the highest weight

    logic [AccWidth-1:0] head;  // word of the column that is added now
    if (Columns == 1) begin : gen_no_ring
      assign head = word_o;
    end else begin : gen_ring
      // The word added last is the remaining place of the ring.
      localparam int Ring = (Columns - 1) * AccWidth;
      logic [Ring-1:0] ring_q;
      always_ff @(posedge clk_i) begin
        if (add_i) ring_q <= Ring'({word_o, ring_q} >> AccWidth);
      end
      assign head = ring_q[AccWidth-1:0];
    end

    logic [PairWidth-1:0] quarter, total_sum, total_carry;
    logic [Low-1:0]       low_q;
    assign quarter = first_i ? '0 : {{2{head[AccWidth-1]}}, head[AccWidth-1:Low+2]};

    csa_tree #(.Inputs(3), .Width(PairWidth)) u_tree (
      .terms_i({carry, sum, quarter}),
      .sum_o  (total_sum),
      .carry_o(total_carry)
    );
    result_register #(.Width(PairWidth), .CarrySave(1)) u_result (
      .clk_i   (clk_i),
      .enable_i(add_i),
      .sum_i   (total_sum),
      .carry_i (total_carry),
      .data_o  (word_o[AccWidth-1:Low])
    );
    always_ff @(posedge clk_i) begin
      if (add_i) low_q <= head[2+:Low];
    end
    assign word_o[Low-1:0] = low_q;
  end

endmodule
