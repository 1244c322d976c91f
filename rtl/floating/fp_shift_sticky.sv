// Right shifter that keeps what falls out: the lowest bit of the result is ORed with every bit
// shifted past it, which is all that rounding needs. A logarithmic shifter with an OR per stage.
// Combinational.
module fp_shift_sticky #(
    // Bits of the word.
    parameter int Width = 8,
    // Bits of the distance; distances of Width and more leave the sticky bit alone.
    parameter int ShiftWidth = 8
) (
    // The word.
    input  logic [     Width-1:0] data_i,
    // How far to the right.
    input  logic [ShiftWidth-1:0] shift_i,
    // The shifted word, its lowest bit sticky.
    output logic [     Width-1:0] data_o
);
  localparam int Needed = $clog2(Width);  // stages whose distance is below Width
  localparam int Stages = (Needed < ShiftWidth) ? Needed : ShiftWidth;

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 2) begin : gen_bad_width
    $error("Width must be at least 2, got %0d", Width);
  end
`endif

  logic [(Stages+1)*Width-1:0] stage;  // stage s at [s*Width +: Width]
  assign stage[0+:Width] = data_i;
  for (genvar s = 0; s < Stages; s++) begin : gen_stage
    logic [Width-1:0] held;
    logic [Width-1:0] moved;
    assign held = stage[s*Width+:Width];
    assign moved = held >> (2 ** s);
    assign stage[(s+1)*Width+:Width] =
        shift_i[s] ? {moved[Width-1:1], moved[0] | (|held[2**s-1:0])} : held;
  end

  logic beyond;  // a distance bit that alone moves everything out
  if (ShiftWidth > Stages) begin : gen_beyond
    assign beyond = |shift_i[ShiftWidth-1:Stages];
  end else begin : gen_within
    assign beyond = 1'b0;
  end
  assign data_o = beyond ? {{(Width - 1) {1'b0}}, |data_i} : stage[Stages*Width+:Width];
endmodule
