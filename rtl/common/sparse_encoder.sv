// Sparse digit encoder: the digits of a group that are not zero, one a cycle, with their lanes.
//
// A group is Lanes EN-T digits of one bit weight with the signs of their operands (OPT3 and OPT4C of
// arXiv 2503.06342). The group stays at the inputs until last_o; what was visited is kept in one
// flag a lane. A group without such a digit takes one idle cycle.
// The code with its sign is 01 for +1, 10 for +2, 11 for -1 and 00 for -2: the sign inverts bit 1.
// Latency: combinational from the group; throughput: one digit a cycle.
module sparse_encoder #(
  parameter int Lanes         = 4,  // digits of a group, at least 2
  parameter int PositionWidth = $clog2(Lanes),      // derived, do not set
  parameter int CountWidth    = $clog2(Lanes + 1)   // derived, do not set
) (
  input  logic                     clk_i,      // clock
  input  logic                     rst_ni,     // synchronous reset, active low: begin a group
  input  logic                     step_i,     // the digit is taken
  input  logic                     restart_i,  // with step_i: the next group comes
  input  logic [2*Lanes-1:0]       digits_i,   // lane l at [2*l +: 2]: 0, 1, 2, 3 (= -1)
  input  logic [Lanes-1:0]         signs_i,    // the operand of the lane is negative
  output logic [1:0]               code_o,     // digit with its sign; not defined when idle_o
  output logic [Lanes-1:0]         first_o,    // its lane, one-hot; 0 when idle_o
  output logic [PositionWidth-1:0] position_o, // its lane; 0 when idle_o
  output logic                     idle_o,     // no digit is left
  output logic                     last_o,     // no digit will be left
  output logic [CountWidth-1:0]    count_o     // digits of the group that are not zero
);

  logic [Lanes-1:0] wanted, visited_q, left;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    assign wanted[l] = |digits_i[2*l+:2];
  end
  assign left = wanted & ~visited_q;

  digit_finder #(.Lanes(Lanes)) u_finder (
    .flags_i   (left),
    .first_o   (first_o),
    .position_o(position_o),
    .single_o  (last_o)
  );

  always_comb begin
    code_o  = '0;
    count_o = '0;
    for (int l = 0; l < Lanes; l++) begin
      if (first_o[l]) code_o = code_o | (digits_i[2*l+:2] ^ {signs_i[l], 1'b0});
      count_o = count_o + CountWidth'(wanted[l]);
    end
  end
  assign idle_o = left == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) visited_q <= '0;
    else if (step_i) visited_q <= restart_i ? '0 : visited_q | first_o;
  end

endmodule
