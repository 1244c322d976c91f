// Read port of a column: the word of the selected row (AND, OR).
//
// Latency: combinational.
module column_read #(
  parameter int Rows  = 4,  // words
  parameter int Width = 32  // bits of a word
) (
  input  logic [Rows-1:0]       select_i,  // one bit set
  input  logic [Rows*Width-1:0] words_i,   // word r at [r*Width +: Width]
  output logic [Width-1:0]      word_o     // the selected word
);

  always_comb begin
    word_o = '0;
    for (int r = 0; r < Rows; r++) word_o |= words_i[r*Width+:Width] & {Width{select_i[r]}};
  end

endmodule
