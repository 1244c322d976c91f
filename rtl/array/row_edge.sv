// Edge of a row of a grid: encoders of its operands a, their registers, and its copy of control.
//
// A module of its own so that hierarchical synthesis keeps one copy a row: each drives one row.
// Latency: one cycle.
module row_edge #(
  parameter int Depth      = 4,  // operands
  parameter int Width      = 8,  // bits of an operand
  parameter int Multiplier = 0,  // see dot_pe; 4: operands arrive encoded
  parameter int AWidth     = (Multiplier == 4) ? Width + 1 : Width,  // derived, do not set
  parameter int EncWidth   = (Multiplier == 2) ? 3 * Width / 2
                           : (Multiplier >= 3) ? Width + 1 : Width  // derived, do not set
) (
  input  logic                      clk_i,    // clock
  input  logic                      first_i,  // this step begins a tile
  input  logic                      last_i,   // this step ends a tile
  input  logic [Depth*AWidth-1:0]   a_i,      // operand k at [k*AWidth +: AWidth]
  output logic                      first_o,  // first_i, a cycle later
  output logic                      last_o,   // last_i, a cycle later
  output logic [Depth*EncWidth-1:0] enc_o     // encoded operands, a cycle later
);

  logic [Depth*EncWidth-1:0] enc, enc_q;
  logic                      first_q, last_q;

  for (genvar k = 0; k < Depth; k++) begin : gen_operand
    if (Multiplier == 4) begin : gen_encoded
      assign enc[k*EncWidth+:EncWidth] = a_i[k*AWidth+:AWidth];
    end else begin : gen_encoder
      operand_encoder #(.Width(Width), .Multiplier(Multiplier)) u_encoder (
        .a_i  (a_i[k*AWidth+:AWidth]),
        .enc_o(enc[k*EncWidth+:EncWidth])
      );
    end
  end

  always_ff @(posedge clk_i) begin
    enc_q   <= enc;
    first_q <= first_i;
    last_q  <= last_i;
  end

  assign enc_o   = enc_q;
  assign first_o = first_q;
  assign last_o  = last_q;

endmodule
