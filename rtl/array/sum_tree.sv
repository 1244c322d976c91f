// Adder tree: signed terms to their sum, every level resolved by carry-propagate adders.
//
// The reduction of the classic multiplier-adder tree (DianNao, ASPLOS 2014, section 5.1; the second
// stage of its neural functional unit). Latency: combinational.
module sum_tree #(
  parameter int Inputs   = 4,   // terms
  parameter int InWidth  = 16,  // bits of a term
  parameter int OutWidth = 18   // bits of the sum, at least InWidth + log2(Inputs)
) (
  input  logic [Inputs*InWidth-1:0] terms_i,  // signed term t at [t*InWidth +: InWidth]
  output logic [OutWidth-1:0]       sum_o     // their sum
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (OutWidth < InWidth + $clog2(Inputs)) begin : gen_bad_out_width
    $error("OutWidth must be at least %0d, got %0d", InWidth + $clog2(Inputs), OutWidth);
  end
`endif

  // A heap: node n adds nodes 2n + 1 and 2n + 2; the leaves are the last Inputs nodes.
  localparam int Nodes = 2 * Inputs - 1;
  logic [Nodes*OutWidth-1:0] nodes  /* verilator split_var */;

  for (genvar n = 0; n < Nodes; n++) begin : gen_node
    if (n >= Inputs - 1) begin : gen_leaf
      logic signed [InWidth-1:0]  term;
      logic signed [OutWidth-1:0] wide;
      assign term = terms_i[(n-Inputs+1)*InWidth+:InWidth];
      assign wide = OutWidth'(term);
      assign nodes[n*OutWidth+:OutWidth] = wide;
    end else begin : gen_add
      assign nodes[n*OutWidth+:OutWidth] =
        nodes[(2*n+1)*OutWidth+:OutWidth] + nodes[(2*n+2)*OutWidth+:OutWidth];
    end
  end

  assign sum_o = nodes[0+:OutWidth];

endmodule
