// Results of an array of Rows x Cols elements to the output stream, one row a beat.
//
// A read port and, with CarrySave = 1, one carry-propagate adder a column.
// Latency: 1 cycle, 3 with CarrySave = 1; a row every cycle.
module result_rows #(
  parameter int Rows      = 4,   // rows of elements
  parameter int Cols      = 4,   // columns of elements
  parameter int Width     = 32,  // bits of a result
  parameter int CarrySave = 0    // 1: results are pairs
) (
  input  logic                       clk_i,     // clock
  input  logic                       rst_ni,    // synchronous reset, active low
  input  logic                       start_i,   // the next row is row 0
  input  logic                       valid_i,   // a row can be read; the one after it comes next
  output logic                       ready_o,   // it is taken
  input  logic [Cols*Rows*Width-1:0] sums_i,    // column c, row r at [(c*Rows + r)*Width +: Width]
  input  logic [Cols*Rows*Width-1:0] carries_i, // see sums_i
  output logic                       valid_o,   // a row of results is offered
  input  logic                       ready_i,   // it is taken
  output logic [Cols*Width-1:0]      data_o     // result of column c at [c*Width +: Width]
);

  logic [Cols*Width-1:0] sum, carry;

  for (genvar c = 0; c < Cols; c++) begin : gen_column
    column_read #(.Rows(Rows), .Width(Width), .CarrySave(CarrySave)) u_read (
      .clk_i    (clk_i),
      .start_i  (start_i),
      .next_i   (valid_i & ready_o),
      .sums_i   (sums_i[c*Rows*Width+:Rows*Width]),
      .carries_i(carries_i[c*Rows*Width+:Rows*Width]),
      .sum_o    (sum[c*Width+:Width]),
      .carry_o  (carry[c*Width+:Width])
    );
  end

  edge_adders #(.Cols(Cols), .Width(Width), .CarrySave(CarrySave)) u_adders (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .valid_i(valid_i),
    .ready_o(ready_o),
    .sum_i  (sum),
    .carry_i(carry),
    .valid_o(valid_o),
    .ready_i(ready_i),
    .data_o (data_o)
  );

endmodule
