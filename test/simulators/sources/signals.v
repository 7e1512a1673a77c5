// A design whose signals are read and written while it runs, by nobody that it knows of. At t ns there were (t + 5) / 10 rising edges.
// It runs until `stop` is set.
`timescale 1ns / 1ps
module signals;
  reg clk = 0;
  reg stop = 0;
  reg pause = 0;
  reg [15:0] count = 0;
  reg [0:7] upwards = 8'h81;
  reg [31:0] kept = 32'h12345678;
  reg [69:0] wide = 70'h3f_0123_4567_89ab_cdef;
  // Wider than what is watched as a whole; its first bit goes with the counter's.
  reg [1535:0] broad = 0;
  reg [7:0] memory[0:15];
  wire [15:0] twice = count * 2;
  real level = 0.5;
  integer i;

  // A model of Verilator's has a byte for each of these, and describes them as a vector.
  reg flags[0:15];
  // As netlists have names.
  reg [3:0] \core.phase ;
  generate
    if (1) begin : block
      reg [3:0] phase;
      if (1) begin : inner
        reg [3:0] phase;
      end
    end
  endgenerate

  // Each call has variables of its own, and nobody has them in between.
  function automatic [15:0] half(input [15:0] of);
    reg [15:0] result;
    begin
      result = of / 2;
      half = result;
    end
  endfunction
  wire [15:0] halved = half(count);

  initial begin
    for (i = 0; i < 16; i = i + 1) begin
      memory[i] = 8'h10 + i[7:0];
      flags[i] = i[0];
    end
    \core.phase = 4'd1;
    block.phase = 4'd2;
    block.inner.phase = 4'd3;
  end

  always #5 clk = ~clk;
  always @(posedge clk) begin
    count <= count + 1;
    // What is written to `kept` between this and the assignment is lost.
    kept <= kept;
    wide <= wide;
    upwards <= upwards;
    broad <= {1535'd0, count[0]};
    memory[9] <= 8'h99;
    \core.phase  <= \core.phase ;
    block.phase <= block.phase;
    block.inner.phase <= block.inner.phase;
`ifdef __ICARUS__
    if (pause) begin
      pause <= 0;
      $stop;
    end
`endif
    if (stop) begin
      $display("stopped: kept %h, memory[3] %h", kept, memory[3]);
      $finish;
    end
  end
endmodule
