// What follows the adder tree of a block-format engine: dequantiser and FP32 accumulator. A stream
// of block sums; one result a packet, after the last block. One block a cycle.
// Registers by Pipeline: 1 accumulator and result; 2 also before the dequantiser; 3 also behind it.
module block_finish #(
    // Bits of a block's sum.
    parameter int SumWidth = 30,
    // 0: UE8M0 scales; 1: E4M3 scales.
    parameter int Scale = 0,
    // 1: subnormal results and sums; 0: they are zero.
    parameter int Subnormals = 1,
    // Registers, 1 to 3.
    parameter int Pipeline = 1
) (
    // Clock.
    input  logic                clk_i,
    // Synchronous reset, active low.
    input  logic                rst_ni,
    // A block is offered.
    input  logic                in_valid_i,
    // It is taken.
    output logic                in_ready_o,
    // Sum of the block's products, signed.
    input  logic [SumWidth-1:0] sum_i,
    // Exponent of the sum's lowest bit, signed, without the scales.
    input  logic [         9:0] exp_i,
    // An element is no number.
    input  logic                nan_i,
    // Scale of the first block.
    input  logic [         7:0] scale_a_i,
    // Scale of the second block.
    input  logic [         7:0] scale_b_i,
    // The packet ends with this block.
    input  logic                last_i,
    // A result is there.
    output logic                out_valid_o,
    // It is taken.
    input  logic                out_ready_i,
    // Sum of the packet's blocks, FP32.
    output logic [        31:0] result_o
);
  localparam int BeatWidth = SumWidth + 28;

  logic s_valid, s_ready, s_nan, s_last, w_valid, w_ready, w_last;
  logic [SumWidth-1:0] s_sum;
  logic [9:0] s_exp;
  logic [7:0] s_scale_a, s_scale_b;
  logic [31:0] block, word;
  optional_register #(
      .Width     (BeatWidth),
      .Registered(32'(Pipeline > 1))
  ) u_sum_stage (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(in_valid_i),
      .ready_o(in_ready_o),
      .data_i ({sum_i, exp_i, nan_i, scale_a_i, scale_b_i, last_i}),
      .valid_o(s_valid),
      .ready_i(s_ready),
      .data_o ({s_sum, s_exp, s_nan, s_scale_a, s_scale_b, s_last})
  );
  block_scale #(
      .SumWidth  (SumWidth),
      .Scale     (Scale),
      .Subnormals(Subnormals)
  ) u_scale (
      .sum_i    (s_sum),
      .exp_i    ($signed(s_exp)),
      .nan_i    (s_nan),
      .scale_a_i(s_scale_a),
      .scale_b_i(s_scale_b),
      .word_o   (block)
  );
  optional_register #(
      .Width     (33),
      .Registered(32'(Pipeline > 2))
  ) u_word_stage (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(s_valid),
      .ready_o(s_ready),
      .data_i ({block, s_last}),
      .valid_o(w_valid),
      .ready_i(w_ready),
      .data_o ({word, w_last})
  );

  // The accumulator waits only for room behind a last block.
  logic [31:0] acc_q, acc, total;
  logic first_q, take, done_ready;
  assign acc = first_q ? 32'd0 : acc_q;
  assign w_ready = !w_last || done_ready;
  assign take = w_valid && w_ready;
  fp_add #(
      .ExpWidth  (8),
      .ManWidth  (23),
      .Subnormals(Subnormals)
  ) u_add (
      .a_i     (word),
      .b_i     (acc),
      .result_o(total)
  );
  always_ff @(posedge clk_i) begin
    if (!rst_ni) first_q <= 1'b1;
    else if (take) first_q <= w_last;
  end
  always_ff @(posedge clk_i) begin
    if (take) acc_q <= total;
  end
  optional_register #(
      .Width     (32),
      .Registered(1)
  ) u_result (
      .clk_i  (clk_i),
      .rst_ni (rst_ni),
      .valid_i(w_valid && w_last),
      .ready_o(done_ready),
      .data_i (total),
      .valid_o(out_valid_o),
      .ready_i(out_ready_i),
      .data_o (result_o)
  );
endmodule
