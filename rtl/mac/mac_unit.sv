// Multiply-accumulate unit as a stream: beats of two operands in, a dot product out for each packet.
//
// Five multipliers and two accumulators under one wrapper, so that what differs between variants is
// the micro-architecture only (EN-T, arXiv 2404.11887: where the encoder sits; OPT1, arXiv
// 2503.06342: carry-save accumulation). Encoders at the edge (2, 3) work before the input register;
// with Multiplier 4 the operand arrives as an EN-T code, made before the buffer. The accumulator runs
// freely: in an idle cycle b is 0 and a product of 0 is added, which takes no enables.
// Pipeline 0: operands -> register -> product and accumulation -> accumulator. 1: a register between
// product and accumulation. 2: the encoder has a cycle of its own, too.
// Latency: 2 + Pipeline cycles after the last beat. Throughput: a beat a cycle; the last beat of a
// packet waits until the result before has been taken, so packets shorter than 3 + Pipeline beats
// wait for one another.
module mac_unit #(
  parameter int Width      = 8,   // bits of either operand: 4, 8 or 16
  parameter int AccWidth   = 32,  // bits of the dot product, which is taken mod 2^AccWidth
  parameter int Multiplier = 0,   // 0 `*`, 1 Booth inside, 2 Booth and 3 EN-T at the edge, 4 encoded
  parameter int CarrySave  = 0,   // 1: the accumulator is a pair, added when the packet ends
  parameter int Pipeline   = 0,   // registers between operands and accumulator, 0 to 2
  parameter int AWidth     = (Multiplier == 4) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                clk_i,        // clock
  input  logic                rst_ni,       // synchronous reset, active low
  input  logic                in_valid_i,   // a beat is offered
  output logic                in_ready_o,   // it is taken
  input  logic [AWidth-1:0]   a_i,          // signed operand, or its EN-T code with Multiplier 4
  input  logic [Width-1:0]    b_i,          // signed operand
  input  logic                last_i,       // the beat ends a packet
  output logic                out_valid_o,  // a dot product is offered
  input  logic                out_ready_i,  // it is taken
  output logic [AccWidth-1:0] acc_o         // signed sum of a * b over the packet mod 2^AccWidth
);

  localparam int EncWidth = (Multiplier == 2) ? 3 * Width / 2
                          : (Multiplier >= 3) ? Width + 1 : Width;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width != 4 && Width != 8 && Width != 16) begin : gen_bad_width
    $error("Width must be 4, 8 or 16, got %0d", Width);
  end
  if (AccWidth < 2 * Width) begin : gen_bad_acc_width
    $error("AccWidth must be at least 2*Width = %0d, got %0d", 2 * Width, AccWidth);
  end
  if (Pipeline < 0 || Pipeline > 2) begin : gen_bad_pipeline
    $error("Pipeline must be 0 to 2, got %0d", Pipeline);
  end
  if (Pipeline == 2 && (Multiplier == 0 || Multiplier == 4)) begin : gen_bad_encoder
    $error("Pipeline 2 needs an encoder to give a cycle: Multiplier 1, 2 or 3, got %0d", Multiplier);
  end
`endif

  // Control: flags travel with the operands; `first` also says that a packet is about to begin.
  logic take, fresh_q, busy_q;
  assign in_ready_o = ~busy_q | ~last_i;
  assign take       = in_valid_i & in_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fresh_q <= 1'b1;
      busy_q  <= 1'b0;
    end else begin
      if (take) fresh_q <= last_i;
      if (take && last_i) busy_q <= 1'b1;
      else if (out_valid_o && out_ready_i) busy_q <= 1'b0;
    end
  end

  logic [Pipeline:0] first_q, last_q;  // at the registers before the accumulator
  logic              done_q;           // the accumulator has the sum of a packet
  logic              valid_q;          // the result register has
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_q <= '0;
      last_q  <= '0;
      done_q  <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      first_q[0] <= take & fresh_q;
      last_q[0]  <= take & last_i;
      for (int p = 1; p <= Pipeline; p++) begin
        first_q[p] <= first_q[p-1];
        last_q[p]  <= last_q[p-1];
      end
      done_q  <= last_q[Pipeline];
      valid_q <= done_q | (valid_q & ~out_ready_i);
    end
  end

  // Operands, encoded where the encoder is outside the element.
  logic [EncWidth-1:0] enc_q;
  logic [Width-1:0]    b_q;

  if (Pipeline == 2) begin : gen_encoder_cycle
    logic [AWidth-1:0]   plain_q;
    logic [Width-1:0]    plain_b_q;
    logic [EncWidth-1:0] enc;
    operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (
      .a_i  (plain_q),
      .enc_o(enc)
    );
    always_ff @(posedge clk_i) begin
      plain_q   <= a_i;
      plain_b_q <= take ? b_i : '0;
      enc_q     <= enc;
      b_q       <= plain_b_q;
    end
  end else begin : gen_operands
    logic [EncWidth-1:0] enc;
    if (Multiplier == 4) begin : gen_encoded
      assign enc = a_i;
    end else begin : gen_encode
      operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (.a_i(a_i), .enc_o(enc));
    end
    always_ff @(posedge clk_i) begin
      enc_q <= enc;
      b_q   <= take ? b_i : '0;
    end
  end

  // Product and accumulation.
  logic [AccWidth-1:0] sum, carry;

  if (Pipeline == 0) begin : gen_element
    mac_pe #(
      .Width     (Width),
      .AccWidth  (AccWidth),
      .Multiplier(Multiplier),
      .CarrySave (CarrySave)
    ) u_pe (
      .clk_i   (clk_i),
      .enable_i(1'b1),
      .clear_i (first_q[0]),
      .enc_i   (enc_q),
      .b_i     (b_q),
      .sum_o   (sum),
      .carry_o (carry)
    );
  end else begin : gen_stages
    mac_stages #(
      .Width     (Width),
      .AccWidth  (AccWidth),
      .Multiplier(Multiplier),
      .CarrySave (CarrySave)
    ) u_stages (
      .clk_i  (clk_i),
      .clear_i(first_q[Pipeline]),
      .enc_i  (enc_q),
      .b_i    (b_q),
      .sum_o  (sum),
      .carry_o(carry)
    );
  end

  result_register #(.Width(AccWidth), .CarrySave(CarrySave)) u_result (
    .clk_i   (clk_i),
    .enable_i(done_q),
    .sum_i   (sum),
    .carry_i (carry),
    .data_o  (acc_o)
  );
  assign out_valid_o = valid_q;

`ifndef SYNTHESIS
  always @(posedge clk_i) begin
    if (rst_ni) begin
      assert (!(done_q && valid_q && !out_ready_i))
      else $error("a result arrives while the one before it has not been taken");
    end
  end
`endif

endmodule
