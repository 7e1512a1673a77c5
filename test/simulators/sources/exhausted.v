// Ends without $finish: when nothing is left to do.
`timescale 1ns / 1ns
module exhausted;
  integer step;
  reg odd = 0;
  initial begin
    $display("ready");
    $fflush;
    for (step = 0; step < 3000000; step = step + 1) #10 odd = ~odd;
    $display("nothing is left at %0d", $time);
  end
endmodule
