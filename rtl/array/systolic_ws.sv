// Weight-stationary systolic array: weights stay, a flows right, partial sums flow down.
//
// Rows is the reduction: c[c] = sum over r of a[r]*w[r][c] mod 2^AccWidth. A beat with compute_i
// carries one operand a for each row and gives one output beat; a beat with load_i carries a row
// of weights that shifts in from the top, so Rows of them fill the array, bottom row first (N. P.
// Jouppi et al., "In-datacenter performance analysis of a tensor processing unit", ISCA 2017; the
// classic array that arXiv 2503.06342 compares with). Sums over more than Rows are added outside.
// WeightBuffer = 1: weights are loaded beside those in use, by beats that may compute as well;
// swap_i on a computing beat (that does not load) uses them from that beat on.
// WeightBuffer = 0: a beat either loads or computes; a load waits until the array is empty.
// Encoders (Multiplier 2 and 3) sit at the left edge, one a row; CarrySave = 1 has one
// carry-propagate adder a column at the bottom.
// Latency: Rows + Cols + 3 cycles (CarrySave: + 5) from an input beat to its output beat.
// Throughput: a beat every cycle. After a swap the next load waits Rows + Cols - 2 cycles,
// without a buffer a load waits Rows + Cols - 1 cycles after the last computing beat.
module systolic_ws #(
  parameter int Rows         = 4,   // rows: operands a of a beat, products in a sum
  parameter int Cols         = 4,   // columns: weights of a beat, sums
  parameter int Width        = 8,   // bits of an operand: 4, 8 or 16
  parameter int AccWidth     = 32,  // bits of a partial sum, at least 2*Width
  parameter int Multiplier   = 0,   // 0 `*`, 1 Booth in the element, 2 Booth at the edge,
                                    // 3 EN-T at the edge, 4 EN-T before the port
  parameter int CarrySave    = 0,   // 1: partial sums are pairs (OPT1)
  parameter int WeightBuffer = 1,   // 1: weights are loaded beside those in use
  parameter int AWidth       = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                     clk_i,        // clock
  input  logic                     rst_ni,       // synchronous reset, active low
  input  logic                     in_valid_i,   // a beat is offered
  output logic                     in_ready_o,   // it is taken
  input  logic [Rows*AWidth-1:0]   a_i,          // row r: signed operand, or its EN-T code
  input  logic [Cols*Width-1:0]    b_i,          // column c: signed weight
  input  logic                     load_i,       // the beat has weights
  input  logic                     swap_i,       // the beat is the first to use the loaded weights
  input  logic                     compute_i,    // the beat has operands a
  output logic                     out_valid_o,  // sums are offered
  input  logic                     out_ready_i,  // they are taken
  output logic [Cols*AccWidth-1:0] c_o           // column c: signed sum
);

  localparam int EncWidth   = (Multiplier == 2) ? 3 * Width / 2
                            : (Multiplier >= 3) ? Width + 1 : Width;
  localparam int Stages     = Rows + Cols + 1 + 2 * CarrySave;  // of the array, with its edge
  localparam int Hazard     = Rows + Cols - 2 - WeightBuffer;   // moves in which no load may follow
  localparam int CountWidth = $clog2(Hazard + 1);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Rows < 2 || Cols < 2) begin : gen_bad_shape
    $error("Rows and Cols must be at least 2, got %0d and %0d", Rows, Cols);
  end
`endif

  // Input register and the hazard of loading.
  logic [Rows*AWidth-1:0] held_a;
  logic [Cols*Width-1:0]  held_b;
  logic held, held_load, held_swap, held_compute, step, move;
  logic [Rows+Cols:0] moves;  // a copy a row, a column, and one for control
  logic [CountWidth-1:0] hazard_q;

  stream_register #(.Width(Rows * AWidth + Cols * Width + 3)) u_input (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .valid_i(in_valid_i),
    .ready_o(in_ready_o),
    .data_i ({compute_i, swap_i, load_i, b_i, a_i}),
    .valid_o(held),
    .ready_i(step),
    .data_o ({held_compute, held_swap, held_load, held_b, held_a})
  );

  assign move = moves[Rows+Cols];
  assign step = held & move & ~(held_load & (hazard_q != '0));

  logic guarded;  // this step uses weights that the next loads must not move yet
  assign guarded = step & held_compute & ((WeightBuffer == 0) | held_swap);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) hazard_q <= '0;
    else if (guarded) hazard_q <= CountWidth'(Hazard);
    else if (move && hazard_q != '0) hazard_q <= hazard_q - 1'b1;
  end

  // Edge registers and the flags of valid sums on their way.
  logic [Stages-1:0]      valid_q;
  logic                   swap_q;
  logic [Rows*AWidth-1:0] a_q;
  logic [Cols*Width-1:0]  b_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= '0;
    else if (move) valid_q <= {valid_q[Stages-2:0], step & held_compute};
  end
  always_ff @(posedge clk_i) begin
    if (move) begin
      swap_q <= step & held_compute & held_swap;
      a_q    <= held_a;
      b_q    <= held_b;
    end
  end

  // Staggered operands with their swap flag.
  logic [Rows*(AWidth+1)-1:0] lanes, staggered;
  for (genvar r = 0; r < Rows; r++) begin : gen_lane
    assign lanes[r*(AWidth+1)+:AWidth+1] = {swap_q, a_q[r*AWidth+:AWidth]};
  end
  skew #(.Lanes(Rows), .Width(AWidth + 1)) u_skew (
    .clk_i   (clk_i),
    .enable_i(moves[Rows-1:0]),
    .data_i  (lanes),
    .data_o  (staggered)
  );

  // Wires between elements: row r has Cols + 1 of a, column c has Rows + 1 of weights and sums.
  logic [Rows*(Cols+1)*EncWidth-1:0] enc_wires;
  logic [Rows*(Cols+1)-1:0]          swap_wires;
  logic [(Rows+1)*Cols*Width-1:0]    weight_wires;
  logic [(Rows+1)*Cols*AccWidth-1:0] sum_wires, carry_wires;

  assign weight_wires[0+:Cols*Width]  = b_q;
  assign sum_wires[0+:Cols*AccWidth]   = '0;
  assign carry_wires[0+:Cols*AccWidth] = '0;

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    logic              load_q;  // a copy a row
    logic [AWidth-1:0] edge_a;
    always_ff @(posedge clk_i) begin
      if (moves[r]) load_q <= step & held_load;
    end
    assign {swap_wires[r*(Cols+1)], edge_a} = staggered[r*(AWidth+1)+:AWidth+1];
    if (Multiplier == 4) begin : gen_encoded
      assign enc_wires[r*(Cols+1)*EncWidth+:EncWidth] = edge_a;
    end else begin : gen_encoder
      operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (
        .a_i  (edge_a),
        .enc_o(enc_wires[r*(Cols+1)*EncWidth+:EncWidth])
      );
    end

    for (genvar c = 0; c < Cols; c++) begin : gen_column
      systolic_ws_pe #(
        .Width       (Width),
        .AccWidth    (AccWidth),
        .Multiplier  (Multiplier),
        .CarrySave   (CarrySave),
        .WeightBuffer(WeightBuffer)
      ) u_pe (
        .clk_i   (clk_i),
        .enable_i(moves[r]),
        .load_i  (load_q),
        .weight_i(weight_wires[(r*Cols+c)*Width+:Width]),
        .swap_i  (swap_wires[r*(Cols+1)+c]),
        .enc_i   (enc_wires[(r*(Cols+1)+c)*EncWidth+:EncWidth]),
        .sum_i   (sum_wires[(r*Cols+c)*AccWidth+:AccWidth]),
        .carry_i (carry_wires[(r*Cols+c)*AccWidth+:AccWidth]),
        .weight_o(weight_wires[((r+1)*Cols+c)*Width+:Width]),
        .swap_o  (swap_wires[r*(Cols+1)+c+1]),
        .enc_o   (enc_wires[(r*(Cols+1)+c+1)*EncWidth+:EncWidth]),
        .sum_o   (sum_wires[((r+1)*Cols+c)*AccWidth+:AccWidth]),
        .carry_o (carry_wires[((r+1)*Cols+c)*AccWidth+:AccWidth])
      );
    end
  end

  // Sums of a beat leave one column a cycle: resolve, and align them again.
  logic [Cols*AccWidth-1:0] resolved, aligned;
  for (genvar c = 0; c < Cols; c++) begin : gen_bottom
    if (CarrySave != 0) begin : gen_adder
      pair_adder #(.Width(AccWidth)) u_adder (
        .clk_i   (clk_i),
        .enable_i(moves[Rows+c]),
        .sum_i   (sum_wires[(Rows*Cols+c)*AccWidth+:AccWidth]),
        .carry_i (carry_wires[(Rows*Cols+c)*AccWidth+:AccWidth]),
        .sum_o   (resolved[c*AccWidth+:AccWidth])
      );
    end else begin : gen_wire
      assign resolved[c*AccWidth+:AccWidth] = sum_wires[(Rows*Cols+c)*AccWidth+:AccWidth];
    end
  end
  skew #(.Lanes(Cols), .Width(AccWidth), .Reverse(1)) u_align (
    .clk_i   (clk_i),
    .enable_i(moves[Rows+:Cols]),
    .data_i  (resolved),
    .data_o  (aligned)
  );

  stall_output #(.Width(Cols * AccWidth), .Copies(Rows + Cols + 1)) u_output (
    .clk_i  (clk_i),
    .rst_ni (rst_ni),
    .valid_i(valid_q[Stages-1]),
    .data_i (aligned),
    .move_o (moves),
    .valid_o(out_valid_o),
    .ready_i(out_ready_i),
    .data_o (c_o)
  );

  // What leaves the last column and the last row has no reader.
  logic unused;
  always_comb begin
    unused = ^weight_wires[Rows*Cols*Width+:Cols*Width];
    unused ^= ^carry_wires[Rows*Cols*AccWidth+:Cols*AccWidth];
    for (int r = 0; r < Rows; r++) begin
      unused ^= ^enc_wires[(r*(Cols+1)+Cols)*EncWidth+:EncWidth] ^ swap_wires[r*(Cols+1)+Cols];
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (rst_ni && in_valid_i && in_ready_o) begin
      if (!load_i && !compute_i) $error("a beat must load or compute");
      if (swap_i && (!compute_i || load_i)) $error("swap_i needs a beat that computes only");
      if (WeightBuffer == 0 && load_i && compute_i)
        $error("without WeightBuffer a beat either loads or computes");
    end
  end
`endif

endmodule
