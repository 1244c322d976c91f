// Sum of Lanes products of two's complement integers: multipliers and one carry-save tree.
// Merge 1 puts the rows of all Booth multipliers into the tree, so that only one carry-propagate
// adder is left; 0 leaves each product to `*`. Exact. Combinational.
module int_dot_sum #(
    // Bits of an element, even.
    parameter int Width = 8,
    // Elements of a beat.
    parameter int Lanes = 32,
    // 1: one tree of all partial products; 0: a tree of products.
    parameter int Merge = 1,
    // Bits of the sum; derived, do not set.
    parameter int SumWidth = 2 * Width + $clog2(Lanes)
) (
    // First vector, lane l at [l*Width +: Width].
    input  logic [Lanes*Width-1:0] a_i,
    // Second vector.
    input  logic [Lanes*Width-1:0] b_i,
    // Sum of the products, signed.
    output logic [   SumWidth-1:0] sum_o
);
  localparam int Rows = (Merge != 0) ? Width / 2 : 1;

  logic [Lanes*Rows*SumWidth-1:0] terms;
  for (genvar l = 0; l < Lanes; l++) begin : gen_lane
    if (Merge != 0) begin : gen_booth
      operand_terms #(
          .Width     (Width),
          .Multiplier(1),
          .OutWidth  (SumWidth)
      ) u_terms (
          .enc_i  (a_i[l*Width+:Width]),
          .b_i    (b_i[l*Width+:Width]),
          .terms_o(terms[l*Rows*SumWidth+:Rows*SumWidth])
      );
    end else begin : gen_behavioural
      logic signed [Width-1:0] a, b;
      logic signed [SumWidth-1:0] ab;
      assign a = a_i[l*Width+:Width];
      assign b = b_i[l*Width+:Width];
      assign ab = a * b;
      assign terms[l*SumWidth+:SumWidth] = ab;
    end
  end

  logic [SumWidth-1:0] sum, carry;
  csa_tree #(
      .Inputs(Lanes * Rows),
      .Width (SumWidth)
  ) u_tree (
      .terms_i(terms),
      .sum_o  (sum),
      .carry_o(carry)
  );
  assign sum_o = sum + carry;
endmodule
