// Largest of several unsigned numbers: a binary tree of comparators. Combinational.
module fp_dot_max #(
    // How many.
    parameter int Inputs = 32,
    // Bits of each.
    parameter int Width = 5
) (
    // Number i at [i*Width +: Width].
    input  logic [Inputs*Width-1:0] data_i,
    // The largest.
    output logic [       Width-1:0] max_o
);
  // The heap: leaves at Inputs - 1 and up, node n above 2 n + 1 and 2 n + 2, the root at 0.
  // split_var tells Verilator that the slices are separate nets.
  logic [(2*Inputs-1)*Width-1:0] heap  /* verilator split_var */;
  assign heap[(Inputs-1)*Width+:Inputs*Width] = data_i;
  for (genvar n = 0; n < Inputs - 1; n++) begin : gen_node
    logic [Width-1:0] left, right;
    assign left = heap[(2*n+1)*Width+:Width];
    assign right = heap[(2*n+2)*Width+:Width];
    assign heap[n*Width+:Width] = (left > right) ? left : right;
  end
  assign max_o = heap[Width-1:0];
endmodule
