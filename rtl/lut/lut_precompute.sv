// Table precompute block for integer activations: the operator that runs once per activation and feeds many cores.
//
// A beat of Tables x Group activations becomes a beat of their tables, a cycle later, at full rate.
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 3.1.1 (the split and fused precompute operator).
module lut_precompute #(
  parameter int Tables = 1,     // groups of activations of a beat
  parameter int Group = 4,      // activations of a group
  parameter int ActWidth = 8,   // bits of an activation, signed
  parameter int Symmetric = 1,  // half tables of +1/-1 weights; 0: full tables of 1/0 weights
  parameter int Entries = (Symmetric != 0) ? 2 ** (Group - 1) : 2 ** Group,  // derived, do not set
  parameter int EntryWidth = ActWidth + $clog2(Group)                        // derived, do not set
) (
  input  logic                                 clk_i,        // clock
  input  logic                                 rst_ni,       // synchronous reset, active low
  input  logic                                 in_valid_i,   // activations are offered
  output logic                                 in_ready_o,   // they are taken
  input  logic [Tables*Group*ActWidth-1:0]     acts_i,       // activations by table
  output logic                                 out_valid_o,  // tables are offered
  input  logic                                 out_ready_i,  // they are taken
  output logic [Tables*Entries*EntryWidth-1:0] table_o       // entries by table
);
  logic [Tables*Entries*EntryWidth-1:0] tables, tables_q;
  logic valid_q;
  for (genvar t = 0; t < Tables; t++) begin : gen_table
    lut_table_int #(
      .ActWidth (ActWidth),
      .Group    (Group),
      .Symmetric(Symmetric)
    ) i_table (
      .acts_i (acts_i[t*Group*ActWidth+:Group*ActWidth]),
      .table_o(tables[t*Entries*EntryWidth+:Entries*EntryWidth])
    );
  end

  assign in_ready_o = !valid_q || out_ready_i;
  assign out_valid_o = valid_q;
  assign table_o = tables_q;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (in_ready_o) valid_q <= in_valid_i;
    if (in_ready_o) tables_q <= tables;
  end
endmodule
