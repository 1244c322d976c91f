// Look-up unit of the LUT tensor core for integer tables: mux, sign, shift by the bit plane, accumulate.
//
// Every cycle with step_i the bits of one plane of the weights address the tables of the row, and
// acc <= (first_i ? 0 : acc) + ((sum over groups of +-entry) << plane_i).
// Latency 1 cycle (2 with Pipeline = 1: a register between look-up and accumulator).
// Source: LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 3.2; the published RTL (microsoft/T-MAC, branch
// LUTTensorCore_ISCA25) scales floating-point entries instead, see lut_pe_fp.
module lut_pe #(
  parameter int Groups = 1,           // tables of a row: K / Group
  parameter int Group = 4,            // index bits, sign included
  parameter int EntryWidth = 10,      // bits of an entry, signed
  parameter int WeightBits = 2,       // bit planes of a weight
  parameter int AccWidth = 32,        // bits of the accumulator
  parameter int Symmetric = 1,        // half tables; full tables with 0
  parameter int OfflineNegation = 1,  // index bits come inverted where the sign bit is clear
  parameter int Pipeline = 0,         // 1: a register after the look-up
  parameter int Entries = (Symmetric != 0) ? 2 ** (Group - 1) : 2 ** Group,  // derived, do not set
  parameter int PlaneWidth = (WeightBits > 1) ? $clog2(WeightBits) : 1  // derived, do not set
) (
  input  logic                                 clk_i,    // clock
  input  logic                                 move_i,   // the pipeline moves (no stall)
  input  logic                                 step_i,   // this cycle's look-up counts
  input  logic                                 first_i,  // it begins a new sum
  input  logic [PlaneWidth-1:0]                plane_i,  // weight of the bit plane, log2
  input  logic [Groups*Entries*EntryWidth-1:0] table_i,  // group g, entry i at [(g*Entries+i)*EntryWidth +: EntryWidth]
  input  logic [Groups*Group-1:0]              bits_i,   // this plane's bits: group g at [g*Group +: Group]
  output logic [AccWidth-1:0]                  acc_o     // the sum so far
);
  localparam int SumWidth = EntryWidth + 1 + ((Groups > 1) ? $clog2(Groups) : 0);

  // Look-ups. A negative entry is its complement plus one; the ones are added with the entries.
  logic [Groups*SumWidth-1:0] terms;
  logic [Groups-1:0] negate;
  for (genvar g = 0; g < Groups; g++) begin : gen_group
    wire [Group-1:0] bits = bits_i[g*Group+:Group];
    wire [Entries*EntryWidth-1:0] entries = table_i[g*Entries*EntryWidth+:Entries*EntryWidth];
    if (Symmetric != 0) begin : gen_half
      wire [Group-2:0] index = (OfflineNegation != 0 || bits[Group-1]) ? bits[Group-2:0] : ~bits[Group-2:0];
      wire signed [EntryWidth-1:0] entry = entries[index*EntryWidth+:EntryWidth];
      wire signed [SumWidth-1:0] wide = SumWidth'(entry);
      assign negate[g] = !bits[Group-1];
      assign terms[g*SumWidth+:SumWidth] = wide ^ {SumWidth{negate[g]}};
    end else begin : gen_full
      // Two's complement weights: the highest plane counts negative.
      wire signed [EntryWidth-1:0] entry = entries[bits*EntryWidth+:EntryWidth];
      wire signed [SumWidth-1:0] wide = SumWidth'(entry);
      assign negate[g] = plane_i == PlaneWidth'(WeightBits - 1);
      assign terms[g*SumWidth+:SumWidth] = wide ^ {SumWidth{negate[g]}};
    end
  end

  logic [SumWidth-1:0] sum;
  always_comb begin
    sum = '0;
    for (int g = 0; g < Groups; g++) begin
      sum = sum + terms[g*SumWidth+:SumWidth] + SumWidth'(negate[g]);
    end
  end

  logic step, first;
  logic [PlaneWidth-1:0] plane;
  logic signed [SumWidth-1:0] found;
  if (Pipeline != 0) begin : gen_pipeline
    always_ff @(posedge clk_i) begin
      if (move_i) begin
        step <= step_i;
        first <= first_i;
        plane <= plane_i;
        found <= sum;
      end
    end
  end else begin : gen_direct
    assign step = step_i;
    assign first = first_i;
    assign plane = plane_i;
    assign found = sum;
  end

  wire signed [AccWidth-1:0] wide = AccWidth'(found);
  wire [AccWidth-1:0] shifted = (WeightBits > 1) ? wide << plane : wide;
  logic [AccWidth-1:0] acc_q;
  always_ff @(posedge clk_i) begin
    if (step && move_i) acc_q <= (first ? '0 : acc_q) + shifted;
  end
  assign acc_o = acc_q;
endmodule
