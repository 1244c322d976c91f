// Grid of dot-product elements on operand buses: the common core of the broadcast engines.
//
// Row r's operands reach all columns, column c's all rows, in the same cycle, from registers at the
// edges (after the encoders, where Multiplier is 2 or 3). A beat carries Depth steps of K.
// Latency: first row L + 1 (CarrySave: L + 3) cycles after the last beat has entered the input
// register, L = 2 + Pipeline + ResultBuffer.
// Throughput: a tile of K beats takes max(K, L + Rows) cycles with ResultBuffer = 1,
// K + L + Rows - 1 without.
module dot_grid #(
  parameter int Rows         = 4,   // rows
  parameter int Cols         = 4,   // columns
  parameter int Depth        = 4,   // products of an element a cycle
  parameter int Width        = 8,   // bits of an operand: 4, 8 or 16
  parameter int AccWidth     = 32,  // bits of an accumulator
  parameter int Multiplier   = 0,   // see dot_pe; 4: operands a arrive encoded
  parameter int CarrySave    = 0,   // see dot_pe
  parameter int Reduction    = 0,   // see dot_pe
  parameter int Pipeline     = 0,   // see dot_pe
  parameter int ResultBuffer = 1,   // see result_pe
  parameter int AWidth       = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                         clk_i,        // clock
  input  logic                         rst_ni,       // synchronous reset, active low
  input  logic                         in_valid_i,   // a beat is offered
  output logic                         in_ready_o,   // it is taken
  input  logic [Rows*Depth*AWidth-1:0] a_i,          // row r, step k: operand r*Depth + k
  input  logic [Cols*Depth*Width-1:0]  b_i,          // column c, step k: c*Depth + k
  input  logic                         first_i,      // the beat begins a tile
  input  logic                         last_i,       // the beat ends a tile
  output logic                         out_valid_o,  // a row of results is offered
  input  logic                         out_ready_i,  // it is taken
  output logic [Cols*AccWidth-1:0]     c_o           // column c: signed result
);

  localparam int EncWidth = (Multiplier == 2) ? 3 * Width / 2
                          : (Multiplier >= 3) ? Width + 1 : Width;

  logic [Rows*Depth*AWidth-1:0]   a;
  logic [Rows*Depth*EncWidth-1:0] enc;
  logic [Cols*Depth*Width-1:0]    b, b_q;
  logic first, last, read_valid, read_ready;

  tile_control #(
    .AWidth      (Rows * Depth * AWidth),
    .BWidth      (Cols * Depth * Width),
    .Rows        (Rows),
    .Latency     (2 + Pipeline + ResultBuffer),
    .ResultBuffer(ResultBuffer)
  ) u_control (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .in_valid_i  (in_valid_i),
    .in_ready_o  (in_ready_o),
    .a_i         (a_i),
    .b_i         (b_i),
    .first_i     (first_i),
    .last_i      (last_i),
    .a_o         (a),
    .b_o         (b),
    .first_o     (first),
    .last_o      (last),
    .read_valid_o(read_valid),
    .read_ready_i(read_ready)
  );

  logic [Rows-1:0] row_first, row_last;
  for (genvar r = 0; r < Rows; r++) begin : gen_edge
    row_edge #(.Depth(Depth), .Width(Width), .Multiplier(Multiplier)) u_edge (
      .clk_i  (clk_i),
      .first_i(first),
      .last_i (last),
      .a_i    (a[r*Depth*AWidth+:Depth*AWidth]),
      .first_o(row_first[r]),
      .last_o (row_last[r]),
      .enc_o  (enc[r*Depth*EncWidth+:Depth*EncWidth])
    );
  end
  always_ff @(posedge clk_i) b_q <= b;

  logic [Cols*Rows*AccWidth-1:0] sums, carries;
  for (genvar r = 0; r < Rows; r++) begin : gen_row
    for (genvar c = 0; c < Cols; c++) begin : gen_column
      result_pe #(
        .Depth       (Depth),
        .Width       (Width),
        .AccWidth    (AccWidth),
        .Multiplier  (Multiplier),
        .CarrySave   (CarrySave),
        .Reduction   (Reduction),
        .Pipeline    (Pipeline),
        .ResultBuffer(ResultBuffer)
      ) u_pe (
        .clk_i  (clk_i),
        .first_i(row_first[r]),
        .last_i (row_last[r]),
        .enc_i  (enc[r*Depth*EncWidth+:Depth*EncWidth]),
        .b_i    (b_q[c*Depth*Width+:Depth*Width]),
        .sum_o  (sums[(c*Rows+r)*AccWidth+:AccWidth]),
        .carry_o(carries[(c*Rows+r)*AccWidth+:AccWidth])
      );
    end
  end

  result_rows #(
    .Rows     (Rows),
    .Cols     (Cols),
    .Width    (AccWidth),
    .CarrySave(CarrySave)
  ) u_results (
    .clk_i    (clk_i),
    .rst_ni   (rst_ni),
    .start_i  (last),
    .valid_i  (read_valid),
    .ready_o  (read_ready),
    .sums_i   (sums),
    .carries_i(carries),
    .valid_o  (out_valid_o),
    .ready_i  (out_ready_i),
    .data_o   (c_o)
  );

endmodule
