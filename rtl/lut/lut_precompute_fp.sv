// Table precompute block for floating-point activations: half tables, every signed sum of a group, a beat a cycle.
//
// Entry i = a[Group-1] + sum over j < Group-1 of (i[j] ? +a[j] : -a[j]), added pairwise as a tree in the order
// a[Group-1], a[0], a[1], ...; rounded to nearest even after each addition, subnormals are zero. Latency 1 cycle.
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 3.1.1 (the split and fused precompute operator).
module lut_precompute_fp #(
  parameter int Tables = 1,     // groups of activations of a beat
  parameter int Group = 4,      // activations of a group
  parameter int ExpWidth = 5,   // of the format: FP16, BF16 (8, 7)
  parameter int ManWidth = 10,  // of the format
  parameter int Width = 1 + ExpWidth + ManWidth,  // derived, do not set
  parameter int Entries = 2 ** (Group - 1)        // derived, do not set
) (
  input  logic                            clk_i,        // clock
  input  logic                            rst_ni,       // synchronous reset, active low
  input  logic                            in_valid_i,   // activations are offered
  output logic                            in_ready_o,   // they are taken
  input  logic [Tables*Group*Width-1:0]   acts_i,       // activations by table
  output logic                            out_valid_o,  // tables are offered
  input  logic                            out_ready_i,  // they are taken
  output logic [Tables*Entries*Width-1:0] table_o       // entries by table
);
  localparam int Leaves = 2 ** $clog2(Group);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Group < 2 || Group > 6) begin : gen_bad_group
    $error("Group must be 2 to 6, got %0d", Group);
  end
`endif

  logic [Tables*Entries*Width-1:0] tables, tables_q;
  logic valid_q;
  for (genvar t = 0; t < Tables; t++) begin : gen_table
    wire [Group*Width-1:0] acts = acts_i[t*Group*Width+:Group*Width];
    for (genvar i = 0; i < Entries; i++) begin : gen_entry
      // A binary tree in an array: node k adds nodes 2k+1 and 2k+2, the leaves are last.
      wire [(2*Leaves-1)*Width-1:0] nodes;
      for (genvar j = 0; j < Leaves; j++) begin : gen_leaf
        if (j == 0) begin : gen_top
          assign nodes[(Leaves-1)*Width+:Width] = acts[(Group-1)*Width+:Width];
        end else if (j < Group) begin : gen_signed
          wire [Width-1:0] act = acts[(j-1)*Width+:Width];
          localparam int Flip = ((i >> (j - 1)) % 2 == 0) ? 1 : 0;
          assign nodes[(Leaves-1+j)*Width+:Width] = {act[Width-1] ^ (Flip != 0), act[Width-2:0]};
        end else begin : gen_none
          assign nodes[(Leaves-1+j)*Width+:Width] = '0;
        end
      end
      for (genvar k = 0; k < Leaves - 1; k++) begin : gen_node
        fp_add #(
          .ExpWidth  (ExpWidth),
          .ManWidth  (ManWidth),
          .Subnormals(0)
        ) i_add (
          .a_i     (nodes[(2*k+1)*Width+:Width]),
          .b_i     (nodes[(2*k+2)*Width+:Width]),
          .result_o(nodes[k*Width+:Width])
        );
      end
      assign tables[(t*Entries+i)*Width+:Width] = nodes[Width-1:0];
    end
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
