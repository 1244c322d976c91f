// One register in a stream: cuts the forward path, lets ready through one gate.
//
// Latency: one cycle; a beat every cycle.
module stream_register #(
  parameter int Width = 8  // bits of a beat
) (
  input  logic             clk_i,    // clock
  input  logic             rst_ni,   // synchronous reset, active low: the register is empty
  input  logic             valid_i,  // a beat is offered
  output logic             ready_o,  // it is taken at the next edge
  input  logic [Width-1:0] data_i,   // the beat
  output logic             valid_o,  // a beat is held
  input  logic             ready_i,  // it is taken at the next edge
  output logic [Width-1:0] data_o    // the beat held
);

  logic             valid_q;
  logic [Width-1:0] data_q;

  assign ready_o = ~valid_q | ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (ready_o) valid_q <= valid_i;
  end

  always_ff @(posedge clk_i) begin
    if (ready_o && valid_i) data_q <= data_i;
  end

  assign valid_o = valid_q;
  assign data_o  = data_q;

endmodule
