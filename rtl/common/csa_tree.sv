// Carry-save tree: any number of terms to a sum and a carry word, modulo 2^Width.
//
// Micro-architecture: full adders (3:2 compressors) row by row. The rows wait in a queue; each
// compressor takes the three oldest and appends its sum and its carry, so no row waits while a
// younger one is used and the depth is that of a Wallace tree (C. S. Wallace, "A suggestion for a
// fast multiplier", IEEE Trans. Electronic Computers 13(1), 1964): 1 for three terms, 2 for four
// (the 4:2 compressor), 3 for five or six (6:2), 4 for up to nine. Rows that are constant zero cost
// nothing after synthesis. Put the terms that arrive last at the top of terms_i.
// Latency: combinational.
module csa_tree #(
  parameter int Inputs = 6,  // terms
  parameter int Width  = 16  // bits of a term and of the results
) (
  input  logic [Inputs*Width-1:0] terms_i,  // term t at [t*Width +: Width]
  output logic [Width-1:0]        sum_o,    // sum_o + carry_o = sum of the terms mod 2^Width
  output logic [Width-1:0]        carry_o   // bit 0 is 0 for three terms and more
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Inputs < 1) begin : gen_bad_inputs
    $error("Inputs must be at least 1, got %0d", Inputs);
  end
  if (Width < 1) begin : gen_bad_width
    $error("Width must be at least 1, got %0d", Width);
  end
`endif

  if (Inputs == 1) begin : gen_wire
    assign sum_o   = terms_i;
    assign carry_o = '0;
  end else begin : gen_tree
    localparam int Compressors = Inputs - 2;  // each removes one row
    localparam int Rows        = Inputs + 2 * Compressors;

    // The queue: a row is a slice; split_var tells Verilator that the slices are separate nets.
    logic [Rows*Width-1:0] rows  /* verilator split_var */;

    assign rows[0+:Inputs*Width] = terms_i;

    for (genvar k = 0; k < Compressors; k++) begin : gen_compressor
      logic [Width-1:0] x, y, z, majority;
      assign x = rows[(3*k+0)*Width+:Width];
      assign y = rows[(3*k+1)*Width+:Width];
      assign z = rows[(3*k+2)*Width+:Width];
      assign majority = (x & y) | (x & z) | (y & z);
      assign rows[(Inputs+2*k)*Width+:Width] = x ^ y ^ z;
      assign rows[(Inputs+2*k+1)*Width+:Width] = majority << 1;
    end

    assign sum_o   = rows[(Rows-2)*Width+:Width];
    assign carry_o = rows[(Rows-1)*Width+:Width];
  end

endmodule
