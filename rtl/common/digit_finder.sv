// First of some flags: one-hot, as a position, and whether it is the only one.
//
// Latency: combinational.
module digit_finder #(
  parameter int Lanes         = 4,  // flags, at least 2
  parameter int PositionWidth = $clog2(Lanes)  // derived, do not set
) (
  input  logic [Lanes-1:0]         flags_i,     // digits that are not zero and not yet visited
  output logic [Lanes-1:0]         first_o,     // the lowest flag alone; 0 where there is none
  output logic [PositionWidth-1:0] position_o,  // its lane; 0 where there is none
  output logic                     single_o     // at most one flag is set
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Lanes < 2) begin : gen_bad_lanes
    $error("Lanes must be at least 2, got %0d", Lanes);
  end
`endif

  logic [Lanes-1:0] below  /* verilator split_var */;  // a flag is set in a lower lane
  assign below[0] = 1'b0;
  for (genvar l = 1; l < Lanes; l++) begin : gen_below
    assign below[l] = below[l-1] | flags_i[l-1];
  end

  assign first_o  = flags_i & ~below;
  assign single_o = (flags_i & below) == '0;

  always_comb begin
    position_o = '0;
    for (int l = 0; l < Lanes; l++) begin
      if (first_o[l]) position_o = position_o | PositionWidth'(l);
    end
  end

endmodule
