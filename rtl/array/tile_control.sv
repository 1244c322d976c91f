// Front of an output-stationary array: one input register, and no step that would destroy a result.
//
// The array behind it runs freely (no stall reaches its registers); idle cycles carry b = 0. A tile
// is a run of beats from first_i to last_i; its Rows rows of results are read Latency cycles after
// the last beat. Until then, ResultBuffer = 1 holds back the last beat of the next tile, and
// ResultBuffer = 0 all of its beats. Steady state: a tile of K beats takes
//   ResultBuffer = 1: max(K, Latency + Rows) cycles,
//   ResultBuffer = 0: K + Latency + Rows - 1 cycles, if the reader never waits.
module tile_control #(
  parameter int AWidth       = 32,  // bits of all operands a of a beat
  parameter int BWidth       = 32,  // bits of all operands b of a beat
  parameter int Rows         = 4,   // rows of results
  parameter int Latency      = 3,   // cycles from the step with last_o to the first row, at least 2
  parameter int ResultBuffer = 1    // 1: the array copies its results
) (
  input  logic              clk_i,         // clock
  input  logic              rst_ni,        // synchronous reset, active low
  input  logic              in_valid_i,    // a beat is offered
  output logic              in_ready_o,    // it is taken
  input  logic [AWidth-1:0] a_i,           // operands a
  input  logic [BWidth-1:0] b_i,           // operands b
  input  logic              first_i,       // the beat begins a tile
  input  logic              last_i,        // the beat ends a tile
  output logic [AWidth-1:0] a_o,           // operands a of this step
  output logic [BWidth-1:0] b_o,           // operands b, 0 in an idle cycle
  output logic              first_o,       // this step begins a tile
  output logic              last_o,        // this step ends a tile
  output logic              read_valid_o,  // a row of results can be read, in turn from row 0
  input  logic              read_ready_i   // it is taken
);

  localparam int CountWidth = $clog2(Latency);
  localparam int RowWidth   = (Rows > 1) ? $clog2(Rows) : 1;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Latency < 2) begin : gen_bad_latency
    $error("Latency must be at least 2, got %0d", Latency);
  end
`endif

  logic held, held_first, held_last, step, hold;
  logic [BWidth-1:0] held_b;

  stream_register #(.Width(AWidth + BWidth + 2)) u_input (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .valid_i(in_valid_i),
    .ready_o(in_ready_o),
    .data_i ({last_i, first_i, b_i, a_i}),
    .valid_o(held),
    .ready_i(step),
    .data_o ({held_last, held_first, held_b, a_o})
  );

  // A tile whose results are on their way or being read.
  logic                  busy_q, reading_q, read_last;
  logic [CountWidth-1:0] wait_q;
  logic [RowWidth-1:0]   row_q;

  assign hold    = busy_q & ((ResultBuffer == 0) | held_last);
  assign step    = held & ~hold;
  assign b_o     = held_b & {BWidth{step}};
  assign first_o = step & held_first;
  assign last_o  = step & held_last;

  assign read_valid_o = reading_q;
  assign read_last    = reading_q & read_ready_i & (row_q == RowWidth'(Rows - 1));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q    <= 1'b0;
      reading_q <= 1'b0;
    end else begin
      if (last_o) busy_q <= 1'b1;
      else if (read_last) busy_q <= 1'b0;
      if (read_last) reading_q <= 1'b0;
      else if (busy_q && wait_q == CountWidth'(1)) reading_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (last_o) begin
      wait_q <= CountWidth'(Latency - 1);
      row_q  <= '0;
    end else begin
      if (wait_q != '0) wait_q <= wait_q - 1'b1;
      if (reading_q && read_ready_i) row_q <= row_q + 1'b1;
    end
  end

`ifndef SYNTHESIS
  // A tile begins with first_i: after reset and after every last_i.
  logic open_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) open_q <= 1'b0;
    else if (in_valid_i && in_ready_o) open_q <= !last_i;
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni && in_valid_i && in_ready_o && first_i == open_q)
      $error("first_i must be set on the first beat of a tile and on no other");
  end
`endif

endmodule
