// Carry-save accumulator: terms are added to a sum and a carry register without a carry chain.
//
// One term is the 3:2 form, four terms the 6:2 compressor of OPT1 (High-Performance Tensor Processing
// Engines with half-time compressed accumulation, arXiv 2503.06342): the delay of a step does not
// depend on the width, and the carry-propagate addition waits until the sum is read.
// Latency: one cycle; a step every cycle.
module csa_accumulator #(
  parameter int Terms = 4,  // terms added a step
  parameter int Width = 32  // bits of terms and registers
) (
  input  logic                   clk_i,     // clock
  input  logic                   enable_i,  // take a step
  input  logic                   clear_i,   // the step starts from zero
  input  logic [Terms*Width-1:0] terms_i,   // term t at [t*Width +: Width]
  output logic [Width-1:0]       sum_o,     // registers; their total is the sum mod 2^Width
  output logic [Width-1:0]       carry_o    // see sum_o
);

  logic [Width-1:0] sum_q, carry_q, kept_sum, kept_carry, sum_d, carry_d;

  assign kept_sum   = clear_i ? '0 : sum_q;
  assign kept_carry = clear_i ? '0 : carry_q;

  // The registers come first: the terms arrive later than they do.
  csa_tree #(.Inputs(Terms + 2), .Width(Width)) u_tree (
    .terms_i({terms_i, kept_carry, kept_sum}),
    .sum_o  (sum_d),
    .carry_o(carry_d)
  );

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      sum_q   <= sum_d;
      carry_q <= carry_d;
    end
  end

  assign sum_o   = sum_q;
  assign carry_o = carry_q;

endmodule
