// Asks for a checkpoint by VPI once the design has booted, and keeps checkpoints off while it "holds the bus".
module requests;
  integer result, count;
  reg clock = 0;
  always #5 clock = ~clock;
  always @(posedge clock) count = count + 1;
  initial begin
    count = 0;
    $cairn_forbid("bus lock");
    #100 $cairn_allow;
    $cairn_checkpoint("boot done", result);
    $display("%0t: %0d after %0d cycles", $time, result, count);
    #100 $cairn_checkpoint;
    $display("%0t: over after %0d cycles", $time, count);
    $finish(0);
  end
endmodule
