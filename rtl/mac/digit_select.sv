// Operand of the lane that a sparse encoder points at; 0 where it points at none.
//
// Latency: combinational.
module digit_select #(
  parameter int Lanes = 4,  // operands
  parameter int Width = 8   // bits of an operand
) (
  input  logic [Lanes-1:0]       first_i,  // lane, one-hot or 0
  input  logic [Lanes*Width-1:0] b_i,      // lane l at [l*Width +: Width]
  output logic [Width-1:0]       b_o       // its operand
);

  always_comb begin
    b_o = '0;
    for (int l = 0; l < Lanes; l++) begin
      if (first_i[l]) b_o = b_o | b_i[l*Width+:Width];
    end
  end

endmodule
