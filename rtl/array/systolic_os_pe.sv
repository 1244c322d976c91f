// Element of the output-stationary systolic array: operands and control pass on, the sum stays.
//
// Latency: operands one cycle; the result as result_pe, after the operands' register.
module systolic_os_pe #(
  parameter int Width        = 8,   // bits of an operand
  parameter int AccWidth     = 32,  // bits of the accumulator
  parameter int Multiplier   = 0,   // see dot_pe
  parameter int CarrySave    = 0,   // see dot_pe
  parameter int Pipeline     = 0,   // see dot_pe
  parameter int ResultBuffer = 1,   // see result_pe
  parameter int EncWidth     = (Multiplier == 2) ? 3 * Width / 2
                             : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                clk_i,    // clock
  input  logic                first_i,  // start a new sum with these operands
  input  logic                last_i,   // these operands complete the sum
  input  logic [EncWidth-1:0] enc_i,    // from the left
  input  logic [Width-1:0]    b_i,      // from above, 0 in an idle cycle
  output logic                first_o,  // to the right
  output logic                last_o,   // to the right
  output logic [EncWidth-1:0] enc_o,    // to the right
  output logic [Width-1:0]    b_o,      // to below
  output logic [AccWidth-1:0] sum_o,    // sum_o + carry_o = result mod 2^AccWidth
  output logic [AccWidth-1:0] carry_o   // 0 where CarrySave is 0
);

  logic                first_q, last_q;
  logic [EncWidth-1:0] enc_q;
  logic [Width-1:0]    b_q;

  always_ff @(posedge clk_i) begin
    first_q <= first_i;
    last_q  <= last_i;
    enc_q   <= enc_i;
    b_q     <= b_i;
  end

  result_pe #(
    .Width       (Width),
    .AccWidth    (AccWidth),
    .Multiplier  (Multiplier),
    .CarrySave   (CarrySave),
    .Pipeline    (Pipeline),
    .ResultBuffer(ResultBuffer)
  ) u_result (
    .clk_i  (clk_i),
    .first_i(first_q),
    .last_i (last_q),
    .enc_i  (enc_q),
    .b_i    (b_q),
    .sum_o  (sum_o),
    .carry_o(carry_o)
  );

  assign first_o = first_q;
  assign last_o  = last_q;
  assign enc_o   = enc_q;
  assign b_o     = b_q;

endmodule
