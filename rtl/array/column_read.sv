// Read port of a column: its own row pointer, and the word of that row (AND, OR).
//
// The pointer is the same in every column; each has a copy (one register an element) because one
// pointer for all would drive every element of a wide array. A module of its own so that
// hierarchical synthesis does not merge the copies.
// Latency: combinational from the pointer.
module column_read #(
  parameter int Rows      = 4,   // elements
  parameter int Width     = 32,  // bits of a result
  parameter int CarrySave = 0    // 1: results are pairs
) (
  input  logic                  clk_i,      // clock
  input  logic                  start_i,    // go to row 0
  input  logic                  next_i,     // go to the next row
  input  logic [Rows*Width-1:0] sums_i,     // row r at [r*Width +: Width]
  input  logic [Rows*Width-1:0] carries_i,  // see sums_i; not used where CarrySave is 0
  output logic [Width-1:0]      sum_o,      // of the row
  output logic [Width-1:0]      carry_o     // 0 where CarrySave is 0
);

  logic [Rows-1:0] row_q;  // one bit set

  always_ff @(posedge clk_i) begin
    if (start_i) row_q <= Rows'(1);
    else if (next_i) row_q <= row_q << 1;
  end

  always_comb begin
    sum_o   = '0;
    carry_o = '0;
    for (int r = 0; r < Rows; r++) begin
      sum_o |= sums_i[r*Width+:Width] & {Width{row_q[r]}};
      if (CarrySave != 0) carry_o |= carries_i[r*Width+:Width] & {Width{row_q[r]}};
    end
  end

  if (CarrySave == 0) begin : gen_no_carry
    logic unused_carries;
    assign unused_carries = ^carries_i;
  end

endmodule
