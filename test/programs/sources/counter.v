// A counter and a shift register, a line now and then. It ends when it was checkpointed.
module counter;
  parameter SCALE = 1;
  reg clock = 0;
  reg [31:0] count = 0;
  integer file = 0;
  reg [63:0] shift = 64'h0123456789abcdef;
  always #5 clock = !clock;
  initial begin
    $display("begun");
    $fflush;
    $dumpfile("waves.out");
    $dumpvars;
  end
  always @(posedge clock) begin
    count <= count + 3;
    shift <= {shift[62:0], shift[63] ^ shift[60]};
    if (count % (12000 * SCALE) == 0) begin
      $display("count %0d", count);
      $fflush;
    end
    // Simulated time stands still meanwhile.
    if (count == 471000 * SCALE) while (file == 0) file = $fopen("checkpointed", "r");
    if (count > 480000 * SCALE) $finish;
  end
endmodule
