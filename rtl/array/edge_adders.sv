// Back of an array: rows of results to the output stream; pairs are added here, one adder a
// column.
//
// This is where OPT1 (arXiv 2503.06342) moves the carry-propagate addition: a result appears once
// in K cycles, so one adder serves all rows of a column. It is cut in two halves, so that it
// limits the clock no more than an element does.
// Latency: 1 cycle, 3 with CarrySave = 1; a beat every cycle; back-pressure holds all stages.
module edge_adders #(
  parameter int Cols      = 4,   // columns
  parameter int Width     = 32,  // bits of a result
  parameter int CarrySave = 0    // 1: results are pairs
) (
  input  logic                  clk_i,    // clock
  input  logic                  rst_ni,   // synchronous reset, active low
  input  logic                  valid_i,  // a row is offered
  output logic                  ready_o,  // it is taken
  input  logic [Cols*Width-1:0] sum_i,    // column c at [c*Width +: Width]
  input  logic [Cols*Width-1:0] carry_i,  // see sum_i; not used where CarrySave is 0
  output logic                  valid_o,  // a row of results is offered
  input  logic                  ready_i,  // it is taken
  output logic [Cols*Width-1:0] data_o    // sum_i + carry_i by column
);

  if (CarrySave == 0) begin : gen_register
    stream_register #(.Width(Cols * Width)) u_result (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(valid_i),
      .ready_o(ready_o),
      .data_i (sum_i),
      .valid_o(valid_o),
      .ready_i(ready_i),
      .data_o (data_o)
    );
    logic unused_carry;
    assign unused_carry = ^carry_i;
  end else begin : gen_adders
    localparam int Low  = Width / 2;
    localparam int High = Width - Low;
    localparam int Part = Low + 1 + 2 * High;  // low half added with its carry, high halves apart

    logic pair_valid, pair_ready, part_valid, part_ready;
    logic [2*Cols*Width-1:0] pair;
    logic [Cols*Part-1:0]    part_d, part;
    logic [Cols*Width-1:0]   data_d;

    stream_register #(.Width(2 * Cols * Width)) u_pair (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(valid_i),
      .ready_o(ready_o),
      .data_i ({carry_i, sum_i}),
      .valid_o(pair_valid),
      .ready_i(pair_ready),
      .data_o (pair)
    );
    for (genvar c = 0; c < Cols; c++) begin : gen_column
      logic [Width-1:0] sum, carry;
      logic [Low:0]     low, low_q;
      logic [High-1:0]  high, high_sum_q, high_carry_q;
      assign sum   = pair[c*Width+:Width];
      assign carry = pair[(Cols+c)*Width+:Width];
      assign low   = {1'b0, sum[Low-1:0]} + {1'b0, carry[Low-1:0]};
      assign part_d[c*Part+:Part] = {carry[Width-1:Low], sum[Width-1:Low], low};
      assign {high_carry_q, high_sum_q, low_q} = part[c*Part+:Part];
      assign high = high_sum_q + high_carry_q + High'(low_q[Low]);
      assign data_d[c*Width+:Width] = {high, low_q[Low-1:0]};
    end
    stream_register #(.Width(Cols * Part)) u_low (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(pair_valid),
      .ready_o(pair_ready),
      .data_i (part_d),
      .valid_o(part_valid),
      .ready_i(part_ready),
      .data_o (part)
    );
    stream_register #(.Width(Cols * Width)) u_high (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(part_valid),
      .ready_o(part_ready),
      .data_i (data_d),
      .valid_o(valid_o),
      .ready_i(ready_i),
      .data_o (data_o)
    );
  end

endmodule
