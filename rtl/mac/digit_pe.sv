// Digit element: one encoded digit of an operand times another operand, carry-save accumulated.
//
// OPT3 and OPT4C of arXiv 2503.06342: the multiple (B, 2B, -B, -2B) is selected by a digit and a
// 3:2 compressor adds it to a pair of registers; one bit weight at a time, so there is no shifter.
// With four digits a cycle the compressor is 6:2 and the element is that of OPT4E. Horner = 1 (not of
// the paper): bit weights come from the highest down, and the pair moves up by a digit when the next
// one begins, so that nothing is left to add up outside.
// Operands and controls are registered here, as in the paper: each has one gate to drive per element.
// Latency: two cycles; a step every cycle.
module digit_pe #(
  parameter int Width     = 8,   // bits of operand b
  parameter int PairWidth = 26,  // bits of the registers
  parameter int Digits    = 1,   // digits a cycle
  parameter int Horner    = 0    // 1: shift_i multiplies the pair by 4 first
) (
  input  logic                    clk_i,       // clock
  input  logic [Digits*Width-1:0] b_i,         // operand of digit d at [d*Width +: Width]; 0 if idle
  input  logic [Digits-1:0]       two_i,       // the multiple is 2B, not B
  input  logic [Digits-1:0]       negative_i,  // it is negated
  input  logic                    keep_i,      // add to the pair; neither: start from zero
  input  logic                    shift_i,     // add to 4 times the pair (Horner = 1)
  output logic [PairWidth-1:0]    sum_o,       // sum_o + carry_o = total mod 2^PairWidth
  output logic [PairWidth-1:0]    carry_o      // see sum_o
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (PairWidth < Width + 4) begin : gen_bad_pair_width
    $error("PairWidth must be at least Width + 4 = %0d, got %0d", Width + 4, PairWidth);
  end
  if (Digits != 1 && Digits != 2 && Digits != 4) begin : gen_bad_digits
    $error("Digits must be 1, 2 or 4, got %0d", Digits);
  end
`endif

  logic [Digits*Width-1:0] b_q;
  logic [Digits-1:0]       two_q, negative_q;
  logic                    keep_q;
  logic [PairWidth-1:0]    sum_q, carry_q, kept_sum, kept_carry, sum_d, carry_d;

  always_ff @(posedge clk_i) begin
    b_q        <= b_i;
    two_q      <= two_i;
    negative_q <= negative_i;
    keep_q     <= keep_i;
  end

  // Multiples: Width + 1 bits, inverted where negative; the one follows in the compressor. The sign
  // of a single one is extended. Of several, ~s stands for -s = ~s - 1, and the -Digits * 2^Width of
  // all are ones from bit Width + log2(Digits) up, where the first multiple has nothing.
  logic [Digits*PairWidth-1:0] terms;
  for (genvar d = 0; d < Digits; d++) begin : gen_digit
    logic [Width-1:0] b;
    logic [Width:0]   multiple;
    assign b        = b_q[d*Width+:Width];
    assign multiple = (two_q[d] ? {b, 1'b0} : {b[Width-1], b}) ^ {Width + 1{negative_q[d]}};
    if (Digits == 1) begin : gen_extended
      assign terms = {{PairWidth - Width - 1{multiple[Width]}}, multiple};
    end else begin : gen_offset
      localparam int Ones = Width + $clog2(Digits);
      assign terms[d*PairWidth+:PairWidth] =
        {{PairWidth - Ones{d == 0}}, {Ones - Width - 1{1'b0}}, ~multiple[Width], multiple[Width-1:0]};
    end
  end

  if (Horner == 1) begin : gen_shift
    logic shift_q;
    always_ff @(posedge clk_i) begin
      shift_q <= shift_i;
    end
    assign kept_sum   = ({PairWidth{keep_q}} & sum_q) | ({PairWidth{shift_q}} & (sum_q << 2));
    assign kept_carry = ({PairWidth{keep_q}} & carry_q) | ({PairWidth{shift_q}} & (carry_q << 2));
  end else begin : gen_keep
    assign kept_sum   = {PairWidth{keep_q}} & sum_q;
    assign kept_carry = {PairWidth{keep_q}} & carry_q;
    logic unused_shift;
    assign unused_shift = shift_i;
  end

  csa_tree_plus #(.Inputs(Digits + 2), .Width(PairWidth)) u_tree (
    .terms_i({terms, kept_carry, kept_sum}),
    .plus_i (negative_q),
    .sum_o  (sum_d),
    .carry_o(carry_d)
  );

  always_ff @(posedge clk_i) begin
    sum_q   <= sum_d;
    carry_q <= carry_d;
  end

  assign sum_o   = sum_q;
  assign carry_o = carry_q;

endmodule
