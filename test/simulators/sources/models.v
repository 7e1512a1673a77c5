// A bit that is assigned 0 at each clock, and how many clocks have seen it otherwise: itself, and by a net.
`timescale 1ns / 1ns
module models #(parameter LAST = 500000);
  reg clk = 0;
  reg [31:0] cycles = 0;
  reg steady = 0;
  reg other = 1;
  reg [3:0] phase = 0;
  reg [31:0] flips = 0;
  reg [31:0] flips_of_net = 0;
  wire net = steady;
`ifdef __ICARUS__
  wire inverse = ~steady;
`endif

  always #5 clk = ~clk;
  always @(posedge clk) begin
    cycles <= cycles + 1;
    phase <= phase + 1;
    steady <= 0;
    other <= 1;
    if (steady) flips <= flips + 1;
    if (net) flips_of_net <= flips_of_net + 1;
    if (cycles == 1) begin
      $display("ready");
      $fflush;
    end
    if (cycles == LAST) begin
      $display("flips %0d %0d", flips, flips_of_net);
      $finish;
    end
  end
endmodule
