// Registers whose upsets come to one outcome each: a byte with parity, of which an alarm tells three cycles later; one that nobody reads; one that
// makes the run longer; one that is assigned again at once; one that shows in the output; one without a value; one that keeps time from going on.
`timescale 1ns / 1ns
module outcomes #(parameter LAST = 500000);
  reg clk = 0;
  reg [31:0] cycles = 0;
  reg [7:0] guarded = 8'h5a;
  reg parity = 0;
  reg [1:0] pipe = 0;
  reg alarm = 0;
  reg unread = 0;
  reg longer = 0;
  reg assigned = 0;
  reg shown = 0;
`ifdef __ICARUS__
  reg unknown;
  reg spins = 0;
  always @(posedge clk) while (spins) ;
  always @(posedge clk) if (unknown === 1'b1) $display("known");
`endif

  always #5 clk = ~clk;
  always @(posedge clk) begin
    cycles <= cycles + 1;
    pipe <= {pipe[0], ^guarded ^ parity};
    alarm <= pipe[1];
    assigned <= 0;
    if (cycles == 1) begin
      $display("ready");
      $fflush;
    end
    if (cycles == (longer ? LAST + 7 : LAST)) begin
      $display("shown %b", shown);
      $finish;
    end
  end
endmodule
