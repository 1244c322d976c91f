// Carry-propagate adder in two steps, low half and high half, that stalls.
//
// Latency: two cycles with enable_i; an addition every cycle.
module pair_adder #(
  parameter int Width = 32  // bits of a word, at least 2
) (
  input  logic             clk_i,     // clock
  input  logic             enable_i,  // both steps move
  input  logic [Width-1:0] sum_i,     // one addend
  input  logic [Width-1:0] carry_i,   // the other
  output logic [Width-1:0] sum_o      // their sum mod 2^Width, two cycles later
);

  localparam int Low  = Width / 2;
  localparam int High = Width - Low;

  logic [Low:0]     low_q;  // with its carry
  logic [High-1:0]  high_sum_q, high_carry_q;
  logic [Width-1:0] sum_q;

  always_ff @(posedge clk_i) begin
    if (enable_i) begin
      low_q        <= {1'b0, sum_i[Low-1:0]} + {1'b0, carry_i[Low-1:0]};
      high_sum_q   <= sum_i[Width-1:Low];
      high_carry_q <= carry_i[Width-1:Low];
      sum_q        <= {high_sum_q + high_carry_q + High'(low_q[Low]), low_q[Low-1:0]};
    end
  end

  assign sum_o = sum_q;

endmodule
