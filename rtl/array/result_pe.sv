// Dot-product element with its result: read in place, or copied so that the next sum can begin.
//
// ResultBuffer = 0: sum_o and carry_o are the accumulator; they hold while the array is idle.
// ResultBuffer = 1: a second register (pair) takes the sum after the step with last_i.
// Latency: 1 + Pipeline + ResultBuffer cycles.
module result_pe #(
  parameter int Depth        = 1,   // lanes
  parameter int Width        = 8,   // bits of an operand
  parameter int AccWidth     = 32,  // bits of the accumulator
  parameter int Multiplier   = 0,   // see dot_pe
  parameter int CarrySave    = 0,   // see dot_pe
  parameter int Reduction    = 0,   // see dot_pe
  parameter int Pipeline     = 0,   // see dot_pe
  parameter int ResultBuffer = 1,   // 1: results have registers of their own
  parameter int EncWidth     = (Multiplier == 2) ? 3 * Width / 2
                             : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                      clk_i,    // clock
  input  logic                      first_i,  // start a new sum with this step
  input  logic                      last_i,   // this step completes the sum
  input  logic [Depth*EncWidth-1:0] enc_i,    // lane k at [k*EncWidth +: EncWidth]
  input  logic [Depth*Width-1:0]    b_i,      // signed operand of lane k, 0 in an idle cycle
  output logic [AccWidth-1:0]       sum_o,    // sum_o + carry_o = result mod 2^AccWidth
  output logic [AccWidth-1:0]       carry_o   // 0 where CarrySave is 0
);

  logic [AccWidth-1:0] sum, carry;

  dot_pe #(
    .Depth     (Depth),
    .Width     (Width),
    .AccWidth  (AccWidth),
    .Multiplier(Multiplier),
    .CarrySave (CarrySave),
    .Reduction (Reduction),
    .Pipeline  (Pipeline)
  ) u_dot (
    .clk_i  (clk_i),
    .first_i(first_i),
    .enc_i  (enc_i),
    .b_i    (b_i),
    .sum_o  (sum),
    .carry_o(carry)
  );

  if (ResultBuffer == 0) begin : gen_in_place
    assign sum_o   = sum;
    assign carry_o = carry;
    logic unused_last;
    assign unused_last = last_i;
  end else begin : gen_buffer
    logic [Pipeline:0]   last_q;  // reaches its end when the accumulator holds the whole sum
    logic [AccWidth-1:0] sum_q;
    always_ff @(posedge clk_i) begin
      last_q[0] <= last_i;
      for (int p = 1; p <= Pipeline; p++) last_q[p] <= last_q[p-1];
      if (last_q[Pipeline]) sum_q <= sum;
    end
    assign sum_o = sum_q;
    if (CarrySave != 0) begin : gen_carry
      logic [AccWidth-1:0] carry_q;
      always_ff @(posedge clk_i) begin
        if (last_q[Pipeline]) carry_q <= carry;
      end
      assign carry_o = carry_q;
    end else begin : gen_no_carry
      assign carry_o = '0;
      logic unused_carry;
      assign unused_carry = ^carry;
    end
  end

endmodule
