// Register in a stream, as a top: one register (short latency, ready passes through) or two.
//
// Latency: one cycle; a beat every cycle.
module stream_stage #(
  parameter int Width = 8,  // bits of a beat
  parameter int Spill = 0   // 0: stream_register, 1: spill_register
) (
  input  logic             clk_i,        // clock
  input  logic             rst_ni,       // synchronous reset, active low
  input  logic             in_valid_i,   // a beat is offered
  output logic             in_ready_o,   // it is taken
  input  logic [Width-1:0] data_i,       // the beat
  output logic             out_valid_o,  // a beat is offered
  input  logic             out_ready_i,  // it is taken
  output logic [Width-1:0] data_o        // the beat
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Spill < 0 || Spill > 1) begin : gen_bad_spill
    $error("Spill must be 0 or 1, got %0d", Spill);
  end
`endif

  if (Spill == 1) begin : gen_spill
    spill_register #(.Width(Width)) u_register (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i (data_i),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (data_o)
    );
  end else begin : gen_register
    stream_register #(.Width(Width)) u_register (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i (data_i),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (data_o)
    );
  end

endmodule
