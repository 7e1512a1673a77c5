// A bit that changes in each tenth cycle and a number that changes in each, and how far a clock has seen them behind what they are; a memory of
// which one word is assigned 0 at each clock, and how many bits of it were seen otherwise, and one word is never assigned.
`timescale 1ns / 1ns
module delays #(parameter LAST = 500000);
  reg clk = 0;
  reg [31:0] cycles = 0;
  reg slow = 0;
  reg twin = 0;
  reg [31:0] late = 0;
  reg [31:0] number = 0;
  reg [31:0] behind = 0;
  reg [7:0] words [0:3];
  reg [31:0] ones = 0;
  integer i;
  initial for (i = 0; i < 4; i = i + 1) words[i] = 0;

  always #5 clk = ~clk;
  always @(posedge clk) begin
    cycles <= cycles + 1;
    if (cycles % 10 == 9) begin
      slow <= ~twin;
      twin <= ~twin;
    end
    if (slow != twin) late <= late + 1;
    number <= cycles;
    if (cycles > 1) behind <= behind + (cycles - 1 - number);
    words[2] <= 0;
    ones <= ones + words[2][0] + words[2][3];
    if (cycles == 1) begin
      $display("ready");
      $fflush;
    end
    if (cycles == LAST) begin
      $display("late %0d behind %0d ones %0d word %h", late, behind, ones, words[1]);
      $finish;
    end
  end
endmodule
