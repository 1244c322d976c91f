// Front and control of a LUT core: holds each beat or lets it through, counts its bit planes, marks the start of a sum,
// offers the result.
// Everything moves unless a result waits for its reader; the counter moves only with beats that are there, which the
// free-running counter of the published RTL (microsoft/T-MAC, branch LUTTensorCore_ISCA25) does not.
module lut_sequence #(
  parameter int WeightBits = 2,     // bit planes of a beat
  parameter int Pipeline = 0,       // registers between look-up and accumulator
  parameter int Width = 8,          // bits of a beat's operands
  parameter int InputRegister = 0,  // 1: beats are held here
  parameter int PlaneWidth = (WeightBits > 1) ? $clog2(WeightBits) : 1  // derived, do not set
) (
  input  logic                  clk_i,        // clock
  input  logic                  rst_ni,       // synchronous reset, active low
  input  logic                  in_valid_i,   // a beat is offered
  output logic                  in_ready_o,   // it is taken: with its last plane, or into the register
  input  logic [Width-1:0]      data_i,       // its operands
  input  logic                  last_i,       // it ends its sum
  output logic [Width-1:0]      data_o,       // operands of the beat in use
  output logic                  move_o,       // the pipeline moves
  output logic                  step_o,       // a plane is looked up
  output logic                  first_o,      // it begins a new sum
  output logic [PlaneWidth-1:0] plane_o,      // its weight, log2
  output logic                  out_valid_o,  // sums are offered
  input  logic                  out_ready_i   // they are taken
);
  logic beat_valid, beat_ready, last;
  if (InputRegister != 0) begin : gen_register
    stream_register #(
      .Width(Width + 1)
    ) i_register (
      .clk_i,
      .rst_ni,
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({last_i, data_i}),
      .valid_o(beat_valid),
      .ready_i(beat_ready),
      .data_o ({last, data_o})
    );
  end else begin : gen_wires
    assign {last, data_o} = {last_i, data_i};
    assign beat_valid = in_valid_i;
    assign in_ready_o = beat_ready;
  end

  logic [PlaneWidth-1:0] plane_q;
  logic first_q, done_q, ending;
  wire top = plane_q == PlaneWidth'(WeightBits - 1);
  assign move_o = !done_q || out_ready_i;
  assign step_o = beat_valid && move_o;
  assign first_o = first_q && plane_q == '0;
  assign plane_o = plane_q;
  assign beat_ready = move_o && top;
  assign out_valid_o = done_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      plane_q <= '0;
      first_q <= 1'b1;
    end else if (step_o) begin
      plane_q <= top ? '0 : plane_q + 1'b1;
      if (top) first_q <= last;
    end
  end
  if (Pipeline != 0) begin : gen_pipeline
    logic ending_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) ending_q <= 1'b0;
      else if (move_o) ending_q <= step_o && top && last;
    end
    assign ending = ending_q;
  end else begin : gen_direct
    assign ending = step_o && top && last;
  end
  always_ff @(posedge clk_i) begin
    if (!rst_ni) done_q <= 1'b0;
    else if (move_o) done_q <= ending;
  end
endmodule
