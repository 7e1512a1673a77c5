// A design with a model in C: $ledger is told of the counter in each cycle, and puts what it makes of it back into the design.
module ledger;
  reg clock = 0;
  reg [31:0] count = 0;
  reg [31:0] answer = 0;
  reg [63:0] seen = 64'h1;
  integer file = 0;
  always #5 clock = !clock;
  initial begin
    $ledger(clock, count, answer);
    $display("begun");
    $fflush;
  end
  always @(posedge clock) begin
    count <= count + 1;
    seen <= {seen[62:0], seen[63]} ^ {32'h0, answer};
    if (count % 1500 == 0) begin
      $display("count %0d, answer %h, seen %h", count, answer, seen);
      $fflush;
    end
    // Simulated time stands still meanwhile.
    if (count == 87000) while (file == 0) file = $fopen("checkpointed", "r");
    if (count == 90000) $finish;
  end
endmodule
