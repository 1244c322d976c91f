// Accumulator: terms are added to a register, or to a pair of registers without a carry chain.
//
// CarrySave = 0: the terms and the register are compressed and added once. CarrySave = 1: see
// csa_accumulator. Latency: one cycle; a step every cycle.
module accumulator #(
  parameter int Terms     = 2,   // terms added a step
  parameter int Width     = 32,  // bits of terms and registers
  parameter int CarrySave = 0    // 0: one resolved register, 1: sum and carry registers
) (
  input  logic                   clk_i,     // clock
  input  logic                   enable_i,  // take a step
  input  logic                   clear_i,   // the step starts from zero
  input  logic [Terms*Width-1:0] terms_i,   // term t at [t*Width +: Width]
  output logic [Width-1:0]       sum_o,     // sum_o + carry_o = sum of the terms mod 2^Width
  output logic [Width-1:0]       carry_o    // 0 where CarrySave is 0
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (CarrySave < 0 || CarrySave > 1) begin : gen_bad_carry_save
    $error("CarrySave must be 0 or 1, got %0d", CarrySave);
  end
`endif

  if (CarrySave == 1) begin : gen_pair
    csa_accumulator #(.Terms(Terms), .Width(Width)) u_pair (
      .clk_i   (clk_i),
      .enable_i(enable_i),
      .clear_i (clear_i),
      .terms_i (terms_i),
      .sum_o   (sum_o),
      .carry_o (carry_o)
    );
  end else begin : gen_resolved
    logic [Width-1:0] sum_q, kept, sum, carry;
    assign kept = clear_i ? '0 : sum_q;
    csa_tree #(.Inputs(Terms + 1), .Width(Width)) u_tree (
      .terms_i({terms_i, kept}),
      .sum_o  (sum),
      .carry_o(carry)
    );
    always_ff @(posedge clk_i) begin
      if (enable_i) sum_q <= sum + carry;
    end
    assign sum_o   = sum_q;
    assign carry_o = '0;
  end

endmodule
