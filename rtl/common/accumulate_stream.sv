// Compressor accumulator as a stream: terms in, their sum out when a packet ends.
//
// Latency: 2 cycles after the last beat. Throughput: a beat a cycle; a packet waits while the result
// before has not been taken.
module accumulate_stream #(
  parameter int Terms     = 1,   // terms of a beat
  parameter int Width     = 16,  // bits of terms and sum, which is taken mod 2^Width
  parameter int CarrySave = 1    // 0: resolved every cycle, 1: 3:2, 4:2, ... compressor and a pair
) (
  input  logic                   clk_i,        // clock
  input  logic                   rst_ni,       // synchronous reset, active low
  input  logic                   in_valid_i,   // a beat is offered
  output logic                   in_ready_o,   // it is taken
  input  logic [Terms*Width-1:0] terms_i,      // signed term t at [t*Width +: Width]
  input  logic                   last_i,       // the beat ends a packet
  output logic                   out_valid_o,  // a sum is offered
  input  logic                   out_ready_i,  // it is taken
  output logic [Width-1:0]       total_o       // signed sum of the packet mod 2^Width
);

  logic fresh_q, done_q, valid_q, take, move;
  logic [Width-1:0] sum, carry;

  assign move       = ~valid_q | out_ready_i;  // the result register is free, or will be
  assign in_ready_o = ~done_q | move;
  assign take       = in_valid_i & in_ready_o;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      fresh_q <= 1'b1;
      done_q  <= 1'b0;
      valid_q <= 1'b0;
    end else begin
      if (take) fresh_q <= last_i;
      if (in_ready_o) done_q <= take & last_i;
      if (move) valid_q <= done_q;
    end
  end

  accumulator #(.Terms(Terms), .Width(Width), .CarrySave(CarrySave)) u_accumulator (
    .clk_i   (clk_i),
    .enable_i(take),
    .clear_i (fresh_q),
    .terms_i (terms_i),
    .sum_o   (sum),
    .carry_o (carry)
  );
  result_register #(.Width(Width), .CarrySave(CarrySave)) u_result (
    .clk_i   (clk_i),
    .enable_i(done_q & move),
    .sum_i   (sum),
    .carry_i (carry),
    .data_o  (total_o)
  );
  assign out_valid_o = valid_q;

endmodule
