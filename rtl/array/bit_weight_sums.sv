// Reduction by bit weight: digit j of every lane times its operand, summed over the lanes, for
// each j.
//
// OPT2 of arXiv 2503.06342: the terms of one weight are added before the shift, so a tree is as
// wide as Depth times the largest term needs and no wider. A term is at most 2 * 2^(Width-1) in
// magnitude and both signs occur, so 1 + ceil(log2(Depth*2^Width + 1)) bits: 14 for 16 lanes of
// 8 bits, where the RTL published with the paper has 13 and wraps on -2 * -128 in all lanes.
// Every term is raised by 2^Width, which inverts its sign bit and makes it unsigned. The total,
// at most Depth * 2^(Width+1), fits, so a tree never drops a carry and its pair can be extended by
// zeros: no carry-propagate adder is needed before the weights are joined, where
// Depth * 2^Width * 4^j is taken off again.
// Latency: combinational.
module bit_weight_sums #(
  parameter int Depth     = 4,   // lanes
  parameter int Width     = 8,   // bits of an operand, even
  parameter int TreeWidth = 12   // bits of a word: 1 + clog2(Depth*2^Width + 1)
) (
  input  logic [Depth*3*Width/2-1:0]     selects_i,  // lane k, digit j: {negative, two, one}
  input  logic [Depth*Width-1:0]         b_i,        // signed operand of lane k
  output logic [Width*TreeWidth-1:0]     words_o     // words 2j, 2j + 1: pair of weight 4^j
);

  localparam int Digits = Width / 2;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (TreeWidth < 1 + $clog2(Depth * (1 << Width) + 1)) begin : gen_bad_tree_width
    $error("TreeWidth must be at least %0d, got %0d", 1 + $clog2(Depth * (1 << Width) + 1),
           TreeWidth);
  end
`endif

  for (genvar j = 0; j < Digits; j++) begin : gen_weight
    logic [Depth*TreeWidth-1:0]  rows;
    logic [Depth-1:0]            ones;  // of negations: an inverted term lacks one
    for (genvar k = 0; k < Depth; k++) begin : gen_lane
      logic one, two, negative;
      logic [Width-1:0] b;
      logic [Width:0]   value;
      assign {negative, two, one} = selects_i[(k*Digits+j)*3+:3];
      assign b     = b_i[k*Width+:Width];
      assign value = (({Width + 1{one}} & {b[Width-1], b}) | ({Width + 1{two}} & {b, 1'b0}))
                     ^ {Width + 1{negative}};
      assign rows[k*TreeWidth+:TreeWidth] = TreeWidth'({~value[Width], value[Width-1:0]});
      assign ones[k] = negative;
    end

    logic [TreeWidth-1:0] sum, carry;
    csa_tree_plus #(.Inputs(Depth + 1), .Width(TreeWidth)) u_tree (
      .terms_i({rows, TreeWidth'(ones[Depth-1])}),
      .plus_i (ones[Depth-2:0]),
      .sum_o  (sum),
      .carry_o(carry)
    );
    assign words_o[2*j*TreeWidth+:2*TreeWidth] = {carry, sum};
  end

endmodule
