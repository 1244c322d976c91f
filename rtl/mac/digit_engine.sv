// Dot products by sparse encoded digits: only digits that are not zero take a cycle.
//
// OPT3 (Columns = 1) and OPT4C (an encoder for all columns) of arXiv 2503.06342; with Encoders = 4 the
// elements take four digits a cycle and it is OPT4E, of which there is a figure but no public RTL:
// the encoders go through a beat together and one that is ready early idles. A beat is a group of
// Lanes operands a for each encoder and the operands b of every column. A packet is the same
// beats in Width/2 passes, each ended by last_i, as a local buffer reads them again: a pass visits
// one bit weight. A beat stays at the input until its last digit is taken, so the lane of a
// digit is the address of its operand b. A beat without digits takes one idle cycle; SkipEmpty = 1
// holds a beat in a register and drops such beats behind it.
// Results leave column by column. The elements wait while their pairs are read: Columns cycles a
// pass, or a packet with Horner = 1 (see digit_pe).
// Exact while a pass stays within its pair: K * 2^Width < 2^(PairWidth - 1) for K operands.
// Latency: 4 cycles after the last digit. Throughput: a digit of each encoder a cycle.
module digit_engine #(
  parameter int Width      = 8,   // bits of either operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of a result
  parameter int Columns    = 16,  // elements
  parameter int Encoders   = 1,   // sparse encoders, digits of an element a cycle: 1, 2 or 4
  parameter int Lanes      = 4,   // operands of an encoder's group: 2, 4 or 8
  parameter int Multiplier = 4,   // 3: operands a are encoded here, 4: they arrive as EN-T codes
  parameter int Horner     = 0,   // 0: bit weights are added outside, 1: in the elements
  parameter int SkipEmpty  = 0,   // 1: beats without digits take no cycle where there is time
  parameter int AWidth     = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                                    clk_i,        // clock
  input  logic                                    rst_ni,       // synchronous reset, active low
  input  logic                                    in_valid_i,   // a beat is offered
  output logic                                    in_ready_o,   // it is taken
  input  logic [Encoders*Lanes*AWidth-1:0]        a_i,          // lane l of encoder e: e*Lanes + l
  input  logic [Columns*Encoders*Lanes*Width-1:0] b_i,          // (c*Encoders + e)*Lanes + l
  input  logic                                    last_i,       // the beat ends a pass
  output logic                                    out_valid_o,  // a result is offered
  input  logic                                    out_ready_i,  // it is taken
  output logic [AccWidth-1:0]                     acc_o         // columns in turn, from 0
);

  localparam int Operands   = Encoders * Lanes;
  localparam int Passes     = Width / 2;
  localparam int PassWidth  = $clog2(Passes);
  localparam int PairWidth  = (Horner == 1) ? AccWidth : AccWidth - Width + 2;
  localparam int IndexWidth = (Columns > 1) ? $clog2(Columns) : 1;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width != 4 && Width != 8 && Width != 16) begin : gen_bad_width
    $error("Width must be 4, 8 or 16, got %0d", Width);
  end
  if (AccWidth < 2 * Width + 4) begin : gen_bad_acc_width
    $error("AccWidth must be at least 2*Width + 4 = %0d, got %0d", 2 * Width + 4, AccWidth);
  end
  if (Multiplier != 3 && Multiplier != 4) begin : gen_bad_multiplier
    $error("Multiplier must be 3 or 4, got %0d", Multiplier);
  end
`endif

  // The digits of this pass.
  logic [PassWidth-1:0]  pass_q, weight;
  logic [2*Operands-1:0] digits;
  logic [Operands-1:0]   signs;
  assign weight = (Horner == 1) ? PassWidth'(Passes - 1) - pass_q : pass_q;

  for (genvar o = 0; o < Operands; o++) begin : gen_operand
    logic [Width:0] code;
    if (Multiplier == 4) begin : gen_encoded
      assign code = a_i[o*AWidth+:AWidth];
    end else begin : gen_encode
      ent_encoder #(.Width(Width)) u_encoder (.a_i(a_i[o*AWidth+:AWidth]), .code_o(code));
    end
    assign signs[o]         = code[Width];
    assign digits[2*o+:2]   = code[2*weight+:2];
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) pass_q <= '0;
    else if (in_valid_i && in_ready_o && last_i) pass_q <= pass_q + 1'b1;
  end

  // A beat in work: at the input, or in a register that leaves out beats without digits.
  localparam int BeatWidth = Columns * Operands * Width + 3 * Operands + 3;
  logic [BeatWidth-1:0] offered, beat;
  logic beat_valid, beat_ready;
  assign offered = {b_i, digits, signs, last_i, pass_q == '0, pass_q == PassWidth'(Passes - 1)};

  if (SkipEmpty == 1) begin : gen_skip
    logic empty, register_ready;
    assign empty      = (digits == '0) & ~last_i;
    assign in_ready_o = register_ready | empty;
    stream_register #(.Width(BeatWidth)) u_beat (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i & ~empty),
      .ready_o(register_ready),
      .data_i (offered),
      .valid_o(beat_valid),
      .ready_i(beat_ready),
      .data_o (beat)
    );
  end else begin : gen_direct
    assign beat       = offered;
    assign beat_valid = in_valid_i;
    assign in_ready_o = beat_ready;
  end

  logic [Columns*Operands*Width-1:0] b;
  logic [2*Operands-1:0]             beat_digits;
  logic [Operands-1:0]               beat_signs;
  logic                              beat_last, beat_first_pass, beat_last_pass;
  assign {b, beat_digits, beat_signs, beat_last, beat_first_pass, beat_last_pass} = beat;

  // Steps: one digit of each encoder.
  logic step, step_last, blocked, fresh_q;
  logic [Encoders-1:0]   last;
  logic [2*Encoders-1:0] codes;
  logic [Operands-1:0]   first;
  assign step       = beat_valid & ~blocked;
  assign step_last  = &last;
  assign beat_ready = ~blocked & step_last;

  for (genvar e = 0; e < Encoders; e++) begin : gen_encoder
    logic [$clog2(Lanes)-1:0]   unused_position;
    logic [$clog2(Lanes+1)-1:0] unused_count;
    logic                       unused_idle;
    sparse_encoder #(.Lanes(Lanes)) u_sparse (
      .clk_i     (clk_i),
      .rst_ni    (rst_ni),
      .step_i    (step),
      .restart_i (step_last),
      .digits_i  (beat_digits[2*Lanes*e+:2*Lanes]),
      .signs_i   (beat_signs[Lanes*e+:Lanes]),
      .code_o    (codes[2*e+:2]),
      .first_o   (first[Lanes*e+:Lanes]),
      .position_o(unused_position),
      .idle_o    (unused_idle),
      .last_o    (last[e]),
      .count_o   (unused_count)
    );
  end

  // Controls of the elements. Code 00 is -2: bit 0 tells one from two, 11 and 00 are negative.
  logic [Encoders-1:0] two, negative;
  logic                keep, shift, end_q, end_first_q, end_last_q;
  for (genvar e = 0; e < Encoders; e++) begin : gen_code
    assign two[e]      = ~codes[2*e];
    assign negative[e] = codes[2*e] == codes[2*e+1];
  end
  assign keep  = ~(step & fresh_q);
  assign shift = step & fresh_q & ~beat_first_pass;
  always_ff @(posedge clk_i) begin
    if (step) begin
      end_first_q <= beat_first_pass;
      end_last_q  <= beat_last_pass;
    end
  end

  // Reading: begins when the elements have the pass; a new pass begins when all have been read.
  // Of several columns the pair that is read is held for a cycle, so that selection and addition have
  // one each.
  logic reading_q, held, held_first, held_last, valid_q, read, read_last, add;
  logic [IndexWidth-1:0] index_q;
  assign add = held & (~valid_q | out_ready_i);

  if (Columns > 1) begin : gen_held
    logic held_q, held_first_q, held_last_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) held_q <= 1'b0;
      else held_q <= read | (held_q & ~add);
    end
    always_ff @(posedge clk_i) begin
      if (read) begin
        held_first_q <= end_first_q;
        held_last_q  <= end_last_q;
      end
    end
    assign read       = reading_q & (~held_q | add);
    assign held       = held_q;
    assign held_first = held_first_q;
    assign held_last  = held_last_q;
  end else begin : gen_at_once
    assign read       = add;
    assign held       = reading_q;
    assign held_first = end_first_q;
    assign held_last  = end_last_q;
  end

  assign read_last = read & (index_q == IndexWidth'(Columns - 1));
  assign blocked   = end_q | (reading_q & ~read_last);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fresh_q   <= 1'b1;
      end_q     <= 1'b0;
      reading_q <= 1'b0;
      valid_q   <= 1'b0;
      index_q   <= '0;
    end else begin
      if (step) fresh_q <= step_last & beat_last;
      end_q <= step & step_last & beat_last & ((Horner == 0) | beat_last_pass);
      if (end_q) reading_q <= 1'b1;
      else if (read_last) reading_q <= 1'b0;
      if (read) index_q <= read_last ? '0 : index_q + 1'b1;
      if (add) valid_q <= held_last;
      else if (out_ready_i) valid_q <= 1'b0;
    end
  end

  logic [Columns*PairWidth-1:0] sum, carry;

  for (genvar c = 0; c < Columns; c++) begin : gen_column
    logic [Encoders*Width-1:0] chosen;
    for (genvar e = 0; e < Encoders; e++) begin : gen_digit
      digit_select #(.Lanes(Lanes), .Width(Width)) u_select (
        .first_i(first[Lanes*e+:Lanes] & {Lanes{step}}),
        .b_i    (b[(c*Encoders+e)*Lanes*Width+:Lanes*Width]),
        .b_o    (chosen[e*Width+:Width])
      );
    end
    digit_pe #(
      .Width    (Width),
      .PairWidth(PairWidth),
      .Digits   (Encoders),
      .Horner   (Horner)
    ) u_pe (
      .clk_i     (clk_i),
      .b_i       (chosen),
      .two_i     (two),
      .negative_i(negative),
      .keep_i    (keep),
      .shift_i   (shift),
      .sum_o     (sum[c*PairWidth+:PairWidth]),
      .carry_o   (carry[c*PairWidth+:PairWidth])
    );
  end

  digit_drain #(
    .Columns (Columns),
    .Width   (Width),
    .AccWidth(AccWidth),
    .Horner  (Horner)
  ) u_drain (
    .clk_i  (clk_i),
    .read_i (read),
    .add_i  (add),
    .index_i(index_q),
    .first_i(held_first),
    .sum_i  (sum),
    .carry_i(carry),
    .word_o (acc_o)
  );
  assign out_valid_o = valid_q;

endmodule
