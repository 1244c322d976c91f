// Carry-save tree with ones to add at bit 0: for terms that are negated by inversion.
//
// As csa_tree; the carry word of each compressor leaves its lowest bit free, and one of the ones goes
// there, so up to Inputs - 2 of them cost no row. Latency: combinational.
module csa_tree_plus #(
  parameter int Inputs = 3,  // terms, at least 3
  parameter int Width  = 16  // bits of a term and of the results
) (
  input  logic [Inputs*Width-1:0] terms_i,  // term t at [t*Width +: Width]
  input  logic [Inputs-3:0]       plus_i,   // each bit adds one
  output logic [Width-1:0]        sum_o,    // sum_o + carry_o = terms + ones mod 2^Width
  output logic [Width-1:0]        carry_o   // see sum_o
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Inputs < 3) begin : gen_bad_inputs
    $error("Inputs must be at least 3, got %0d", Inputs);
  end
`endif

  localparam int Compressors = Inputs - 2;
  localparam int Rows        = Inputs + 2 * Compressors;

  // The queue of csa_tree; split_var tells Verilator that the slices are separate nets.
  logic [Rows*Width-1:0] rows  /* verilator split_var */;

  assign rows[0+:Inputs*Width] = terms_i;

  for (genvar k = 0; k < Compressors; k++) begin : gen_compressor
    logic [Width-1:0] x, y, z, majority;
    assign x = rows[(3*k+0)*Width+:Width];
    assign y = rows[(3*k+1)*Width+:Width];
    assign z = rows[(3*k+2)*Width+:Width];
    assign majority = (x & y) | (x & z) | (y & z);
    assign rows[(Inputs+2*k)*Width+:Width] = x ^ y ^ z;
    assign rows[(Inputs+2*k+1)*Width+:Width] = (majority << 1) | Width'(plus_i[k]);
  end

  assign sum_o   = rows[(Rows-2)*Width+:Width];
  assign carry_o = rows[(Rows-1)*Width+:Width];

endmodule
