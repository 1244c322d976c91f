// Low-pass filter with binomial coefficients, a new sample every cycle.
//
// y[n] = sum over k of C(Taps-1, k) x[n-k]; the gain is 2^(Taps-1), so nothing is rounded. The forms
// are those of textbooks (Oppenheim and Schafer, Discrete-Time Signal Processing, section 6.5):
// direct, direct with the samples of equal coefficients added first, transposed.
// Latency: 2 + Pipeline cycles; one sample a cycle.
module fir #(
  parameter int Width    = 8,  // bits of a sample
  parameter int Taps     = 5,  // coefficients, 2 to 16
  parameter int Form     = 0,  // 0 direct, 1 folded, 2 transposed
  parameter int Pipeline = 0   // 1: registers after the multipliers
) (
  input  logic                           clk_i,   // clock
  input  logic                           rst_ni,  // synchronous reset, active low: silence
  input  logic signed [Width-1:0]        x_i,     // sample
  output logic signed [Width+Taps-2:0]   y_o      // filtered sample, times 2^(Taps-1)
);

`ifndef __ICARUS__  // version 11 has no elaboration tasks
  if (Width < 2) begin : gen_bad_width
    $error("Width must be at least 2, got %0d", Width);
  end
  if (Taps < 2 || Taps > 16) begin : gen_bad_taps
    $error("Taps must be 2 to 16, got %0d", Taps);
  end
  if (Form < 0 || Form > 2) begin : gen_bad_form
    $error("Form must be 0 direct, 1 folded or 2 transposed, got %0d", Form);
  end
  if (Pipeline < 0 || Pipeline > 1) begin : gen_bad_pipeline
    $error("Pipeline must be 0 or 1, got %0d", Pipeline);
  end
`endif

  localparam int OutWidth = Width + Taps - 1;
  // The second half of a folded filter has the coefficients of the first.
  localparam int Products = (Form == 1) ? (Taps + 1) / 2 : Taps;

  function automatic int coefficient(input int k);
    int c;
    c = 1;
    for (int i = 0; i < k; i++) c = c * (Taps - 1 - i) / (i + 1);
    return c;
  endfunction

  localparam int Kept = (Form == 2) ? 1 : Taps;
  logic [Kept*Width-1:0] samples_q;  // the latest in the lowest bits
  always_ff @(posedge clk_i) begin
    if (!rst_ni) samples_q <= '0;
    else samples_q <= (Kept * Width)'({samples_q, x_i});
  end

  logic [Products*OutWidth-1:0] products, products_used;
  for (genvar k = 0; k < Products; k++) begin : gen_product
    // Transposed, all multipliers take the latest sample.
    localparam int From = (Form == 2) ? 0 : k;
    localparam int Twin = Taps - 1 - k;
    logic signed [OutWidth-1:0] operand, sample;
    assign sample = OutWidth'($signed(samples_q[From*Width +: Width]));
    if (Form == 1 && Twin != k) begin : gen_folded
      assign operand = sample + OutWidth'($signed(samples_q[Twin*Width +: Width]));
    end else begin : gen_plain
      assign operand = sample;
    end
    assign products[k*OutWidth +: OutWidth] = OutWidth'(operand * OutWidth'(coefficient(k)));
  end

  if (Pipeline == 1) begin : gen_pipeline
    logic [Products*OutWidth-1:0] products_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) products_q <= '0;
      else products_q <= products;
    end
    assign products_used = products_q;
  end else begin : gen_no_pipeline
    assign products_used = products;
  end

  if (Form == 2) begin : gen_transposed
    // Register k holds what later samples will be added to.
    logic [Taps*OutWidth-1:0] sums_q;
    for (genvar k = 0; k < Taps; k++) begin : gen_sum
      logic [OutWidth-1:0] pending;
      if (k == Taps - 1) begin : gen_last
        assign pending = '0;
      end else begin : gen_inner
        assign pending = sums_q[(k+1)*OutWidth +: OutWidth];
      end
      always_ff @(posedge clk_i) begin
        if (!rst_ni) sums_q[k*OutWidth +: OutWidth] <= '0;
        else
          sums_q[k*OutWidth +: OutWidth] <= pending + products_used[k*OutWidth +: OutWidth];
      end
    end
    assign y_o = sums_q[OutWidth-1:0];
  end else begin : gen_direct
    logic [OutWidth-1:0] sum, sum_q;
    always_comb begin
      sum = '0;
      for (int k = 0; k < Products; k++) sum = sum + products_used[k*OutWidth +: OutWidth];
    end
    always_ff @(posedge clk_i) begin
      if (!rst_ni) sum_q <= '0;
      else sum_q <= sum;
    end
    assign y_o = sum_q;
  end

endmodule
