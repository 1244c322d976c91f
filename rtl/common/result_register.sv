// Result of an accumulator: held for the output stream, resolved on the way where it is a pair.
//
// A pair is added in two steps, so that a carry-save loop is not slowed down by the adder that it
// leaves behind: the low half before the register, the high half after it.
// Latency: one cycle.
module result_register #(
  parameter int Width     = 32,  // bits of the result, at least 2
  parameter int CarrySave = 0    // 1: carry_i is not zero
) (
  input  logic             clk_i,     // clock
  input  logic             enable_i,  // take the pair
  input  logic [Width-1:0] sum_i,     // sum_i + carry_i = result
  input  logic [Width-1:0] carry_i,   // not used where CarrySave is 0
  output logic [Width-1:0] data_o     // the result taken
);

  if (CarrySave == 0) begin : gen_word
    logic [Width-1:0] data_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) data_q <= sum_i;
    end
    assign data_o = data_q;
    logic unused_carry;
    assign unused_carry = ^carry_i;
  end else begin : gen_pair
    localparam int Low  = Width / 2;
    localparam int High = Width - Low;
    logic [Low:0]    low_q;  // with its carry
    logic [High-1:0] high_sum_q, high_carry_q;
    always_ff @(posedge clk_i) begin
      if (enable_i) begin
        low_q        <= {1'b0, sum_i[Low-1:0]} + {1'b0, carry_i[Low-1:0]};
        high_sum_q   <= sum_i[Width-1:Low];
        high_carry_q <= carry_i[Width-1:Low];
      end
    end
    assign data_o = {high_sum_q + high_carry_q + High'(low_q[Low]), low_q[Low-1:0]};
  end

endmodule
