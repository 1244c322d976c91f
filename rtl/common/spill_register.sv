// Two registers in a stream: cuts the forward path and the path of ready (a skid buffer).
//
// The first register passes on when it can; the beat that arrives in the cycle in which it cannot is
// kept by the second. Latency: one cycle; a beat every cycle.
module spill_register #(
  parameter int Width = 8  // bits of a beat
) (
  input  logic             clk_i,    // clock
  input  logic             rst_ni,   // synchronous reset, active low: both registers are empty
  input  logic             valid_i,  // a beat is offered
  output logic             ready_o,  // from a register: the spare one is free
  input  logic [Width-1:0] data_i,   // the beat
  output logic             valid_o,  // a beat is held
  input  logic             ready_i,  // it is taken at the next edge
  output logic [Width-1:0] data_o    // the oldest beat held
);

  logic             valid_q, spare_valid_q;
  logic [Width-1:0] data_q, spare_q;

  logic take, pass;
  assign take    = valid_i & ready_o;
  assign pass    = ~valid_q | ready_i;  // the first register is free, or will be
  assign ready_o = ~spare_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q       <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (pass) valid_q <= take | spare_valid_q;
      spare_valid_q <= (take | spare_valid_q) & ~pass;
    end
  end

  always_ff @(posedge clk_i) begin
    if (pass && (take || spare_valid_q)) data_q <= spare_valid_q ? spare_q : data_i;
    if (take) spare_q <= data_i;
  end

  assign valid_o = valid_q;
  assign data_o  = data_q;

endmodule
