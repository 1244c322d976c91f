// Table of one group of integer activations: every signed sum a look-up may ask for.
//
// Symmetric = 1: weights are read as +1/-1 (bit set/clear), tables are odd, LUT[w] = -LUT[~w], and half of the entries
// suffice: entry i = a[Group-1] + sum over j < Group-1 of (i[j] ? +a[j] : -a[j]).
// Symmetric = 0: weights are read as 1/0: entry i = sum of the a[j] whose bit is set, 2**Group entries.
// Combinational. Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 3.1.2 and table precompute operator.
module lut_table_int #(
  parameter int ActWidth = 8,   // bits of an activation, signed
  parameter int Group = 4,      // activations of a group: bits of an index
  parameter int Symmetric = 1,  // half table of +1/-1 weights, or full table of 1/0 weights
  parameter int Entries = (Symmetric != 0) ? 2 ** (Group - 1) : 2 ** Group,  // derived, do not set
  parameter int EntryWidth = ActWidth + $clog2(Group)  // derived, do not set
) (
  input  logic [Group*ActWidth-1:0]     acts_i,   // activation j at [j*ActWidth +: ActWidth]
  output logic [Entries*EntryWidth-1:0] table_o   // entry i at [i*EntryWidth +: EntryWidth]
);
`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Group < 2 || Group > 6) begin : gen_bad_group
    $error("Group must be 2 to 6, got %0d", Group);
  end
  if (ActWidth < 2) begin : gen_bad_act
    $error("ActWidth must be at least 2, got %0d", ActWidth);
  end
`endif

  // Sign-extended activations, and their negatives computed once for all entries.
  logic [Group*EntryWidth-1:0] plus, minus;
  for (genvar j = 0; j < Group; j++) begin : gen_act
    wire signed [ActWidth-1:0] act = acts_i[j*ActWidth+:ActWidth];
    wire signed [EntryWidth-1:0] wide = EntryWidth'(act);
    assign plus[j*EntryWidth+:EntryWidth] = wide;
    assign minus[j*EntryWidth+:EntryWidth] = -wide;
  end

  for (genvar i = 0; i < Entries; i++) begin : gen_entry
    logic [EntryWidth-1:0] sum;
    always_comb begin
      sum = (Symmetric != 0) ? plus[(Group-1)*EntryWidth+:EntryWidth] : '0;
      for (int j = 0; j < ((Symmetric != 0) ? Group - 1 : Group); j++) begin
        if (i[j]) sum = sum + plus[j*EntryWidth+:EntryWidth];
        else if (Symmetric != 0) sum = sum + minus[j*EntryWidth+:EntryWidth];
      end
    end
    assign table_o[i*EntryWidth+:EntryWidth] = sum;
  end
endmodule
