// Dot-product unit the LUT tensor core is compared with: K multipliers, or K bit-serial add/subtract terms.
//
// Serial = 0: acc <= (first_i ? 0 : acc) + sum of act*weight, weights in two's complement, one cycle a beat.
// Serial = 1: weights are read as +1/-1 per bit plane: acc <= ... + ((sum of +-act) << plane_i), one cycle a plane.
// Source: the MAC and ADD units of LUT Tensor Core (ISCA 2025, arXiv 2408.06003), section 4.2 (DP4 comparison).
module dp_pe #(
  parameter int Lanes = 4,        // products of a beat
  parameter int ActWidth = 8,     // bits of an activation, signed
  parameter int WeightWidth = 8,  // bits of a weight
  parameter int AccWidth = 32,    // bits of the accumulator
  parameter int Serial = 0,       // 0: multipliers; 1: one bit plane a cycle
  parameter int BitsWidth = (Serial != 0) ? Lanes : Lanes * WeightWidth,      // derived, do not set
  parameter int PlaneWidth = (WeightWidth > 1) ? $clog2(WeightWidth) : 1      // derived, do not set
) (
  input  logic                      clk_i,    // clock
  input  logic                      step_i,   // this cycle's terms count
  input  logic                      first_i,  // they begin a new sum
  input  logic [PlaneWidth-1:0]     plane_i,  // weight of the bit plane, log2 (serial)
  input  logic [Lanes*ActWidth-1:0] acts_i,   // activation k at [k*ActWidth +: ActWidth]
  input  logic [BitsWidth-1:0]      bits_i,   // weights, or the bits of this plane
  output logic [AccWidth-1:0]       acc_o     // the sum so far
);
  logic [AccWidth-1:0] terms;
  if (Serial != 0) begin : gen_serial
    localparam int SumWidth = ActWidth + 1 + $clog2(Lanes);
    logic signed [SumWidth-1:0] sum;
    logic [Lanes*SumWidth-1:0] wide;
    for (genvar k = 0; k < Lanes; k++) begin : gen_lane
      wire signed [ActWidth-1:0] act = acts_i[k*ActWidth+:ActWidth];
      wire signed [SumWidth-1:0] extended = SumWidth'(act);
      assign wide[k*SumWidth+:SumWidth] = extended ^ {SumWidth{!bits_i[k]}};
    end
    always_comb begin
      sum = '0;
      for (int k = 0; k < Lanes; k++) begin
        sum = sum + wide[k*SumWidth+:SumWidth] + SumWidth'(!bits_i[k]);
      end
    end
    wire signed [AccWidth-1:0] found = AccWidth'(sum);
    assign terms = (WeightWidth > 1) ? found << plane_i : found;
  end else begin : gen_parallel
    logic [Lanes*AccWidth-1:0] products;
    for (genvar k = 0; k < Lanes; k++) begin : gen_lane
      wire signed [ActWidth-1:0] act = acts_i[k*ActWidth+:ActWidth];
      wire signed [WeightWidth-1:0] weight = bits_i[k*WeightWidth+:WeightWidth];
      wire signed [ActWidth+WeightWidth-1:0] product = act * weight;
      wire signed [AccWidth-1:0] extended = AccWidth'(product);
      assign products[k*AccWidth+:AccWidth] = extended;
    end
    always_comb begin
      terms = '0;
      for (int k = 0; k < Lanes; k++) terms = terms + products[k*AccWidth+:AccWidth];
    end
    wire unused = &{1'b0, plane_i};
  end

  logic [AccWidth-1:0] acc_q;
  always_ff @(posedge clk_i) begin
    if (step_i) acc_q <= (first_i ? '0 : acc_q) + terms;
  end
  assign acc_o = acc_q;
endmodule
