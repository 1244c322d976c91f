// A place for a register in a stream: a stream_register, or wires where a pipeline has none.
// Latency: one cycle or none; a beat every cycle.
module optional_register #(
    // Bits of a beat.
    parameter int Width = 8,
    // 1: a register; 0: wires.
    parameter int Registered = 1
) (
    // Clock and synchronous reset, active low; unused by wires.
    // verilator lint_off UNUSEDSIGNAL
    input  logic             clk_i,
    input  logic             rst_ni,
    // verilator lint_on UNUSEDSIGNAL
    // A beat is offered.
    input  logic             valid_i,
    // It is taken.
    output logic             ready_o,
    // The beat.
    input  logic [Width-1:0] data_i,
    // A beat is there.
    output logic             valid_o,
    // It is taken.
    input  logic             ready_i,
    // The beat.
    output logic [Width-1:0] data_o
);
  if (Registered != 0) begin : gen_register
    stream_register #(
        .Width(Width)
    ) u_register (
        .clk_i  (clk_i),
        .rst_ni (rst_ni),
        .valid_i(valid_i),
        .ready_o(ready_o),
        .data_i (data_i),
        .valid_o(valid_o),
        .ready_i(ready_i),
        .data_o (data_o)
    );
  end else begin : gen_wires
    assign ready_o = ready_i;
    assign valid_o = valid_i;
    assign data_o  = data_i;
  end
endmodule
