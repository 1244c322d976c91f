// Array of sparse digit engines: rows of elements, each row behind its own sparse encoders.
//
// Row r is a digit_engine (OPT4C of arXiv 2503.06342 with Encoders = 1, OPT4E with more): it
// visits the digits of its operands a that are not zero, while all rows share the operands b of a
// beat. Rows need different numbers of cycles for a beat, so each has Slack beats of its own in
// front; a beat is taken when every row has taken its copy, and results leave when every row has
// one. With Slack = 0 every beat takes as long as its slowest row; the paper's columns meet once
// a packet only, because a local buffer that they read apart stands in front of them.
// A packet is the same beats in Width/2 passes, each ended by last_i (see digit_engine); it gives
// Columns output beats, column 0 first: c[r] = sum over the packet of a[r]*b[column].
// Latency: Slack + 3 cycles after the last digit. Throughput: the slowest row's within Slack
// beats.
module digit_array #(
  parameter int Rows       = 4,   // rows: digit engines
  parameter int Columns    = 4,   // elements of a row
  parameter int Width      = 8,   // bits of either operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of a result
  parameter int Encoders   = 1,   // sparse encoders of a row, digits of an element a cycle
  parameter int Lanes      = 4,   // operands of an encoder's group: 2, 4 or 8
  parameter int Multiplier = 4,   // 3: operands a are encoded here, 4: they arrive as EN-T codes
  parameter int Horner     = 0,   // see digit_engine
  parameter int SkipEmpty  = 0,   // see digit_engine
  parameter int Slack      = 1,   // beats that a row may be ahead of another
  parameter int AWidth     = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                                    clk_i,        // clock
  input  logic                                    rst_ni,       // synchronous reset, active low
  input  logic                                    in_valid_i,   // a beat is offered
  output logic                                    in_ready_o,   // it is taken
  input  logic [Rows*Encoders*Lanes*AWidth-1:0]   a_i,          // row r: (r*Encoders + e)*Lanes + l
  input  logic [Columns*Encoders*Lanes*Width-1:0] b_i,          // (c*Encoders + e)*Lanes + l
  input  logic                                    last_i,       // the beat ends a pass
  output logic                                    out_valid_o,  // results of a column are offered
  input  logic                                    out_ready_i,  // they are taken
  output logic [Rows*AccWidth-1:0]                c_o           // result of row r
);

  localparam int ABits = Encoders * Lanes * AWidth;
  localparam int BBits = Columns * Encoders * Lanes * Width;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Rows < 2) begin : gen_bad_rows
    $error("Rows must be at least 2, got %0d", Rows);
  end
`endif

  // Fork: a row that has taken its copy of the beat waits for the others.
  logic [Rows-1:0] done_q, ready, out_valid;
  assign in_ready_o  = &(done_q | ready);
  assign out_valid_o = &out_valid;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) done_q <= '0;
    else if (in_valid_i) done_q <= in_ready_o ? '0 : done_q | ready;
  end

  for (genvar r = 0; r < Rows; r++) begin : gen_row
    // Beats of this row, entry s is before slot s; entry Slack is at the engine.
    logic [Slack:0]                       valid, taken;
    logic [(Slack+1)*(ABits+BBits+1)-1:0] beats;
    assign valid[0]                   = in_valid_i & ~done_q[r];
    assign beats[0+:ABits+BBits+1]    = {last_i, b_i, a_i[r*ABits+:ABits]};
    assign ready[r]                   = taken[0];

    for (genvar s = 0; s < Slack; s++) begin : gen_slot
      stream_register #(.Width(ABits + BBits + 1)) u_slot (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(valid[s]),
        .ready_o(taken[s]),
        .data_i (beats[s*(ABits+BBits+1)+:ABits+BBits+1]),
        .valid_o(valid[s+1]),
        .ready_i(taken[s+1]),
        .data_o (beats[(s+1)*(ABits+BBits+1)+:ABits+BBits+1])
      );
    end

    logic             last;
    logic [BBits-1:0] b;
    logic [ABits-1:0] a;
    assign {last, b, a} = beats[Slack*(ABits+BBits+1)+:ABits+BBits+1];

    digit_engine #(
      .Width     (Width),
      .AccWidth  (AccWidth),
      .Columns   (Columns),
      .Encoders  (Encoders),
      .Lanes     (Lanes),
      .Multiplier(Multiplier),
      .Horner    (Horner),
      .SkipEmpty (SkipEmpty)
    ) u_engine (
      .clk_i      (clk_i),
      .rst_ni     (rst_ni),
      .in_valid_i (valid[Slack]),
      .in_ready_o (taken[Slack]),
      .a_i        (a),
      .b_i        (b),
      .last_i     (last),
      .out_valid_o(out_valid[r]),
      .out_ready_i(out_ready_i & out_valid_o),
      .acc_o      (c_o[r*AccWidth+:AccWidth])
    );
  end

endmodule
