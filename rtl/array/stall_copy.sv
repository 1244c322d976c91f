// One copy of the register that lets an array move, so that each copy drives a part of the array.
//
// A module of its own so that hierarchical synthesis does not merge the copies again.
// Latency: one cycle.
module stall_copy (
  input  logic clk_i,    // clock
  input  logic rst_ni,   // synchronous reset, active low: the array may move
  input  logic stall_i,  // the array must not move in the next cycle
  output logic move_o    // the array moves in this cycle
);

  logic move_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) move_q <= 1'b1;
    else move_q <= ~stall_i;
  end

  assign move_o = move_q;

endmodule
