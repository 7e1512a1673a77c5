// As requests.v, by DPI.
module requests;
  import "DPI-C" function int cairn_checkpoint(input string name);
  import "DPI-C" function int cairn_forbid(input string what);
  import "DPI-C" function int cairn_allow();
  int result, count;
  logic clock = 0;
  always #5 clock = ~clock;
  always @(posedge clock) count = count + 1;
  initial begin
    count = 0;
    void'(cairn_forbid("bus lock"));
    #100 void'(cairn_allow());
    result = cairn_checkpoint("boot done");
    $display("%0t: %0d after %0d cycles", $time, result, count);
    #100 void'(cairn_checkpoint(""));
    $display("%0t: over after %0d cycles", $time, count);
    $finish;
  end
endmodule
