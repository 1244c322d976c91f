// Sparse digit encoder as a stream: operands of a group in, their digits that are not zero out.
//
// All digits of the operands, lowest bit weight first, lanes in order; one beat a digit. A group of
// one bit weight without such a digit gives one idle beat, as in the schedule of OPT3 (arXiv
// 2503.06342).
// Latency: one cycle; throughput: a digit a cycle.
module sparse_digits #(
  parameter int Width         = 8,  // bits of an operand, even, at least 4
  parameter int Lanes         = 4,  // operands of a group, at least 2
  parameter int PositionWidth = $clog2(Lanes),    // derived, do not set
  parameter int WeightWidth   = $clog2(Width / 2) // derived, do not set
) (
  input  logic                     clk_i,        // clock
  input  logic                     rst_ni,       // synchronous reset, active low
  input  logic                     in_valid_i,   // a group is offered
  output logic                     in_ready_o,   // it is taken
  input  logic [Lanes*Width-1:0]   a_i,          // signed operand of lane l at [l*Width +: Width]
  output logic                     out_valid_o,  // a digit is offered
  input  logic                     out_ready_i,  // it is taken
  output logic [1:0]               code_o,       // 01 +1, 10 +2, 11 -1, 00 -2; 00 when idle
  output logic [PositionWidth-1:0] position_o,   // lane; 0 when idle
  output logic [WeightWidth-1:0]   weight_o,     // the digit counts 4^weight
  output logic                     idle_o,       // there is no digit of this weight
  output logic                     last_o        // the group ends
);

  localparam int Weights = Width / 2;

  logic [2*Lanes-1:0]     digits;
  logic [Lanes-1:0]       signs;
  logic [WeightWidth-1:0] weight_q;
  logic                   step, last_digit, last_weight;
  logic [Lanes*Width-1:0] group;

  stream_register #(.Width(Lanes * Width)) u_group (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .valid_i(in_valid_i),
    .ready_o(in_ready_o),
    .data_i (a_i),
    .valid_o(out_valid_o),
    .ready_i(out_ready_i & last_o),
    .data_o (group)
  );

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    logic [Width:0] code;
    ent_encoder #(.Width(Width)) u_encoder (.a_i(group[l*Width+:Width]), .code_o(code));
    assign signs[l]       = code[Width];
    assign digits[2*l+:2] = code[2*weight_q+:2];
  end

  logic [Lanes-1:0]           unused_first;
  logic [$clog2(Lanes+1)-1:0] unused_count;
  sparse_encoder #(.Lanes(Lanes)) u_sparse (
    .clk_i     (clk_i),
    .rst_ni    (rst_ni),
    .step_i    (step),
    .restart_i (last_digit),
    .digits_i  (digits),
    .signs_i   (signs),
    .code_o    (code_o),
    .first_o   (unused_first),
    .position_o(position_o),
    .idle_o    (idle_o),
    .last_o    (last_digit),
    .count_o   (unused_count)
  );

  assign last_weight = weight_q == WeightWidth'(Weights - 1);
  assign step        = out_valid_o & out_ready_i;
  assign last_o      = last_digit & last_weight;
  assign weight_o    = weight_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) weight_q <= '0;
    else if (step && last_digit) weight_q <= last_weight ? '0 : weight_q + 1'b1;
  end

endmodule
