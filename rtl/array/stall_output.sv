// Back of an array that moves as a whole or not at all: output stream, and the stall from
// registers.
//
// A skid buffer of two beats. The array moves in a cycle exactly if the second register is free,
// and that is known a cycle before, so the enables of the array come from Copies registers, each
// with a part of the load. Latency: one cycle; a beat every cycle.
module stall_output #(
  parameter int Width  = 128,  // bits of a beat
  parameter int Copies = 4     // registers for the array's enables
) (
  input  logic              clk_i,    // clock
  input  logic              rst_ni,   // synchronous reset, active low
  input  logic              valid_i,  // the array ends with a beat
  input  logic [Width-1:0]  data_i,   // the beat, taken if the array moves
  output logic [Copies-1:0] move_o,   // the array moves in this cycle (copies)
  output logic              valid_o,  // a beat is offered
  input  logic              ready_i,  // it is taken
  output logic [Width-1:0]  data_o    // the oldest beat held
);

  logic valid_q, spare_valid_q, take, pass, stall;
  logic [Width-1:0] data_q, spare_q;

  assign take  = valid_i & ~spare_valid_q;
  assign pass  = ~valid_q | ready_i;  // the first register is free, or will be
  assign stall = (take | spare_valid_q) & ~pass;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q       <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (pass) valid_q <= take | spare_valid_q;
      spare_valid_q <= stall;
    end
  end

  always_ff @(posedge clk_i) begin
    if (pass) data_q <= spare_valid_q ? spare_q : data_i;
    if (take) spare_q <= data_i;
  end

  for (genvar i = 0; i < Copies; i++) begin : gen_copy
    stall_copy u_copy (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .stall_i(stall),
      .move_o (move_o[i])
    );
  end

  assign valid_o = valid_q;
  assign data_o  = data_q;

endmodule
