// 3D cube: Rows x Cols elements, each Depth products reduced in space and summed in time.
//
// A row's Depth operands serve all columns and a column's all rows, as in the cube unit of Ascend
// (HotChips 2019: 16 x 16 x 16; one of the four engines of arXiv 2503.06342). A beat is Depth
// steps of K; a tile of n beats gives Rows output beats, row 0 first:
// c[r][c] = sum over beats and k of a[r][k]*b[c][k] mod 2^AccWidth.
// Latency: first row L + 1 (CarrySave: L + 3) cycles after the last beat has entered the input
// register, L = 2 + Pipeline + ResultBuffer.
// Throughput: a tile takes max(n, L + Rows) cycles with ResultBuffer = 1, n + L + Rows - 1
// without.
module cube #(
  parameter int Rows         = 4,   // rows of elements
  parameter int Cols         = 4,   // columns of elements
  parameter int Depth        = 4,   // products of an element a cycle
  parameter int Width        = 8,   // bits of an operand: 4, 8 or 16
  parameter int AccWidth     = 32,  // bits of an accumulator
  parameter int Multiplier   = 0,   // 0 `*`, 1 Booth in the element, 2 Booth at the edge,
                                    // 3 EN-T at the edge, 4 EN-T before the port
  parameter int CarrySave    = 0,   // 1: sums stay pairs until they leave (OPT1)
  parameter int Reduction    = 0,   // 1: terms of one bit weight are added first (OPT2)
  parameter int Pipeline     = 1,   // 1: a register between products and accumulator
  parameter int ResultBuffer = 1,   // 1: results are copied, so the next tile overlaps the reading
  parameter int AWidth       = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                         clk_i,       // clock
  input  logic                         rst_ni,      // synchronous reset, active low
  input  logic                         in_valid_i,  // a beat is offered
  output logic                         in_ready_o,  // it is taken
  input  logic [Rows*Depth*AWidth-1:0] a_i,         // row r, step k: operand r*Depth + k
  input  logic [Cols*Depth*Width-1:0]  b_i,         // column c, step k: operand c*Depth + k
  input  logic                         first_i,     // the beat begins a tile
  input  logic                         last_i,      // the beat ends a tile
  output logic                         out_valid_o, // a row of results is offered
  input  logic                         out_ready_i, // it is taken
  output logic [Cols*AccWidth-1:0]     c_o          // column c: signed result
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Rows < 2 || Cols < 2 || Depth < 2) begin : gen_bad_shape
    $error("Rows, Cols and Depth must be at least 2, got %0d, %0d, %0d", Rows, Cols, Depth);
  end
`endif

  dot_grid #(
    .Rows        (Rows),
    .Cols        (Cols),
    .Depth       (Depth),
    .Width       (Width),
    .AccWidth    (AccWidth),
    .Multiplier  (Multiplier),
    .CarrySave   (CarrySave),
    .Reduction   (Reduction),
    .Pipeline    (Pipeline),
    .ResultBuffer(ResultBuffer)
  ) u_grid (
    .clk_i      (clk_i),
    .rst_ni     (rst_ni),
    .in_valid_i (in_valid_i),
    .in_ready_o (in_ready_o),
    .a_i        (a_i),
    .b_i        (b_i),
    .first_i    (first_i),
    .last_i     (last_i),
    .out_valid_o(out_valid_o),
    .out_ready_i(out_ready_i),
    .c_o        (c_o)
  );

endmodule
