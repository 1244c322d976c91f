// Adder of many signed terms: carry-save tree and one carry-propagate adder.
//
// Latency: combinational.
module term_adder #(
  parameter int Inputs   = 6,  // terms
  parameter int Width    = 8,  // bits of a term
  parameter int OutWidth = Width + $clog2(Inputs)  // derived, do not set: no sum is too wide
) (
  input  logic [Inputs*Width-1:0] terms_i,  // signed term t at [t*Width +: Width]
  output logic [OutWidth-1:0]     total_o   // signed sum
);

  logic [Inputs*OutWidth-1:0] wide;
  logic [OutWidth-1:0]        sum, carry;

  for (genvar t = 0; t < Inputs; t++) begin : gen_term
    logic signed [Width-1:0]    term;
    logic signed [OutWidth-1:0] extended;
    assign term     = terms_i[t*Width+:Width];
    assign extended = OutWidth'(term);
    assign wide[t*OutWidth+:OutWidth] = extended;
  end

  csa_tree #(.Inputs(Inputs), .Width(OutWidth)) u_tree (
    .terms_i(wide),
    .sum_o  (sum),
    .carry_o(carry)
  );
  assign total_o = sum + carry;

endmodule
