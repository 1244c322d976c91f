// Leading-zero counter: a binary tree of (no one, count) pairs, log2(Width + 1) levels.
// Source: V. G. Oklobdzija, "An algorithmic and novel design of a leading zero detector circuit",
// IEEE Transactions on VLSI Systems 2(1), 1994. Combinational.
module fp_lzc #(
    // Bits looked at.
    parameter int Width = 16,
    // Bits of the count; derived, do not set.
    parameter int CountWidth = $clog2(Width + 1)
) (
    // The word; the most significant bit is looked at first.
    input  logic [     Width-1:0] data_i,
    // Zeros above the first one; Width when there is no one.
    output logic [CountWidth-1:0] count_o
);
  localparam int Padded = 2 ** CountWidth;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 1) begin : gen_bad_width
    $error("Width must be at least 1, got %0d", Width);
  end
`endif

  // Ones below the word stop the count at Width.
  logic [Padded-1:0] leaves;
  assign leaves = {data_i, {(Padded - Width) {1'b1}}};

  // Level l: Padded >> l nodes of 2**l bits, node 0 the least significant; a node knows whether it
  // has no one, and counts the zeros above its first one in l bits.
  for (genvar l = 1; l <= CountWidth; l++) begin : gen_level
    localparam int Nodes = Padded >> l;
    // The root has a one for sure, so nobody asks it.
    // verilator lint_off UNUSEDSIGNAL
    logic [Nodes-1:0] none;
    // verilator lint_on UNUSEDSIGNAL
    logic [Nodes*l-1:0] count;
    if (l == 1) begin : gen_pair
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        assign none[n]  = leaves[2*n+:2] == 2'b00;
        assign count[n] = !leaves[2*n+1];
      end
    end else begin : gen_merge
      for (genvar n = 0; n < Nodes; n++) begin : gen_node
        logic skip;  // the upper half has no one
        assign skip = gen_level[l-1].none[2*n+1];
        assign none[n] = skip && gen_level[l-1].none[2*n];
        assign count[n*l+:l] = {
          skip,
          skip ? gen_level[l-1].count[2*n*(l-1)+:(l-1)] : gen_level[l-1].count[(2*n+1)*(l-1)+:(l-1)]
        };
      end
    end
  end
  assign count_o = gen_level[CountWidth].count;
endmodule
