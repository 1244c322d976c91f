// Output-stationary systolic array: a flows right, b flows down, every element keeps its sum.
//
// A beat is one step of K: an operand a for each row and b for each column, staggered inside by one
// cycle a row or column (H. T. Kung, IEEE Computer 15(1), 1982; the classic array that
// arXiv 2503.06342 compares with). A tile of K beats gives Rows output beats, row 0 first:
// c[r][c] = sum over the tile of a[r]*b[c] mod 2^AccWidth.
// Encoders (Multiplier 2 and 3) sit at the left edge, one a row; carry-propagate adders at the
// bottom, one a column, where CarrySave = 1.
// Latency: first row L + 1 (CarrySave: L + 3) cycles after the last beat has entered the input
// register, L = Cols + 1 + Pipeline + ResultBuffer.
// Throughput: a tile takes max(K, L + Rows) cycles with ResultBuffer = 1, K + L + Rows - 1 without.
module systolic_os #(
  parameter int Rows         = 4,   // rows: operands a of a beat
  parameter int Cols         = 4,   // columns: operands b of a beat
  parameter int Width        = 8,   // bits of an operand: 4, 8 or 16
  parameter int AccWidth     = 32,  // bits of an accumulator, at least 2*Width
  parameter int Multiplier   = 0,   // 0 `*`, 1 Booth in the element, 2 Booth at the edge,
                                    // 3 EN-T at the edge, 4 EN-T before the port
  parameter int CarrySave    = 0,   // 1: sums stay pairs until they leave (OPT1)
  parameter int Pipeline     = 0,   // 1: a register between product and accumulator
  parameter int ResultBuffer = 1,   // 1: results are copied, so the next tile overlaps the reading
  parameter int AWidth       = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                     clk_i,        // clock
  input  logic                     rst_ni,       // synchronous reset, active low
  input  logic                     in_valid_i,   // a beat is offered
  output logic                     in_ready_o,   // it is taken
  input  logic [Rows*AWidth-1:0]   a_i,          // row r: signed operand, or its EN-T code
  input  logic [Cols*Width-1:0]    b_i,          // column c: signed operand
  input  logic                     first_i,      // the beat begins a tile
  input  logic                     last_i,       // the beat ends a tile
  output logic                     out_valid_o,  // a row of results is offered
  input  logic                     out_ready_i,  // it is taken
  output logic [Cols*AccWidth-1:0] c_o           // column c: signed result
);

  localparam int EncWidth = (Multiplier == 2) ? 3 * Width / 2
                          : (Multiplier >= 3) ? Width + 1 : Width;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Rows < 2 || Cols < 2) begin : gen_bad_shape
    $error("Rows and Cols must be at least 2, got %0d and %0d", Rows, Cols);
  end
`endif

  logic [Rows*AWidth-1:0] a;
  logic [Cols*Width-1:0]  b, staggered_b;
  logic first, last, read_valid, read_ready;

  tile_control #(
    .AWidth      (Rows * AWidth),
    .BWidth      (Cols * Width),
    .Rows        (Rows),
    .Latency     (Cols + 1 + Pipeline + ResultBuffer),
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

  skew #(.Lanes(Cols), .Width(Width)) u_skew_b (
    .clk_i   (clk_i),
    .enable_i({Cols{1'b1}}),
    .data_i  (b),
    .data_o  (staggered_b)
  );

  // Control travels with a: a lane is {last, first, a}.
  logic [Rows*(AWidth+2)-1:0] lanes, staggered;
  for (genvar r = 0; r < Rows; r++) begin : gen_lane
    assign lanes[r*(AWidth+2)+:AWidth+2] = {last, first, a[r*AWidth+:AWidth]};
  end

  skew #(.Lanes(Rows), .Width(AWidth + 2)) u_skew_a (
    .clk_i   (clk_i),
    .enable_i({Rows{1'b1}}),
    .data_i  (lanes),
    .data_o  (staggered)
  );

  // Wires between elements: row r has Cols + 1 of a and control, column c has Rows + 1 of b.
  logic [Rows*(Cols+1)*EncWidth-1:0] enc_wires;
  logic [Rows*(Cols+1)-1:0]          first_wires, last_wires;
  logic [(Rows+1)*Cols*Width-1:0]    b_wires;
  logic [Cols*Rows*AccWidth-1:0]     sums, carries;

  assign b_wires[0+:Cols*Width] = staggered_b;

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic [AWidth-1:0] edge_a;
    assign {last_wires[r*(Cols+1)], first_wires[r*(Cols+1)], edge_a} =
      staggered[r*(AWidth+2)+:AWidth+2];
    if (Multiplier == 4) begin : gen_encoded
      assign enc_wires[r*(Cols+1)*EncWidth+:EncWidth] = edge_a;
    end else begin : gen_encoder
      operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (
        .a_i  (edge_a),
        .enc_o(enc_wires[r*(Cols+1)*EncWidth+:EncWidth])
      );
    end

    for (genvar c = 0; c < Cols; c++) begin : gen_column
      systolic_os_pe #(
        .Width       (Width),
        .AccWidth    (AccWidth),
        .Multiplier  (Multiplier),
        .CarrySave   (CarrySave),
        .Pipeline    (Pipeline),
        .ResultBuffer(ResultBuffer)
      ) u_pe (
        .clk_i  (clk_i),
        .first_i(first_wires[r*(Cols+1)+c]),
        .last_i (last_wires[r*(Cols+1)+c]),
        .enc_i  (enc_wires[(r*(Cols+1)+c)*EncWidth+:EncWidth]),
        .b_i    (b_wires[(r*Cols+c)*Width+:Width]),
        .first_o(first_wires[r*(Cols+1)+c+1]),
        .last_o (last_wires[r*(Cols+1)+c+1]),
        .enc_o  (enc_wires[(r*(Cols+1)+c+1)*EncWidth+:EncWidth]),
        .b_o    (b_wires[((r+1)*Cols+c)*Width+:Width]),
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

  // What leaves the last column and the last row has no reader.
  logic unused;
  always_comb begin
    unused = ^b_wires[Rows*Cols*Width+:Cols*Width];
    for (int r = 0; r < Rows; r++) begin
      unused ^= ^enc_wires[(r*(Cols+1)+Cols)*EncWidth+:EncWidth];
      unused ^= first_wires[r*(Cols+1)+Cols] ^ last_wires[r*(Cols+1)+Cols];
    end
  end

endmodule
