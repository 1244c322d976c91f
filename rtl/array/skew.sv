// Triangle of registers: lane l is delayed by l cycles (or by Lanes - 1 - l, to undo it).
//
// The staircase at the edges of systolic arrays (H. T. Kung, "Why systolic architectures?", IEEE
// Computer 15(1), 1982). Latency: as said; every cycle with enable_i moves all lanes.
module skew #(
  parameter int Lanes   = 4,  // lanes
  parameter int Width   = 8,  // bits of a lane
  parameter int Reverse = 0   // 1: lane 0 waits longest
) (
  input  logic                   clk_i,     // clock
  input  logic [Lanes-1:0]       enable_i,  // lane l moves (copies of one signal)
  input  logic [Lanes*Width-1:0] data_i,    // lane l at [l*Width +: Width]
  output logic [Lanes*Width-1:0] data_o     // delayed lanes
);

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    localparam int Delay = (Reverse != 0) ? Lanes - 1 - l : l;
    if (Delay == 0) begin : gen_wire
      assign data_o[l*Width+:Width] = data_i[l*Width+:Width];
      logic unused_enable;
      assign unused_enable = enable_i[l];
    end else if (Delay == 1) begin : gen_register
      logic [Width-1:0] data_q;
      always_ff @(posedge clk_i) begin
        if (enable_i[l]) data_q <= data_i[l*Width+:Width];
      end
      assign data_o[l*Width+:Width] = data_q;
    end else begin : gen_shift
      logic [Delay*Width-1:0] data_q;
      always_ff @(posedge clk_i) begin
        if (enable_i[l]) data_q <= {data_q[(Delay-1)*Width-1:0], data_i[l*Width+:Width]};
      end
      assign data_o[l*Width+:Width] = data_q[(Delay-1)*Width+:Width];
    end
  end

endmodule
