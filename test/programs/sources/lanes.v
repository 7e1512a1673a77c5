// Four lanes that know nothing of each other, for a model with threads: each mixes its operand into a state of its own.
module lanes (
    input clock,
    input load,
    input [127:0] operands,
    output reg [127:0] results
);
  genvar lane;
  generate
    for (lane = 0; lane < 4; lane = lane + 1) begin : lanes
      reg [31:0] state = 32'h9e3779b9 + lane;
      reg [31:0] memory[0:255];
      reg [7:0] place = 0;
      wire [31:0] product = state * 32'd1664525 + memory[place];
      integer i;
      initial for (i = 0; i < 256; i = i + 1) memory[i] = i * (lane + 1);
      always @(posedge clock) begin
        if (load) state <= state ^ operands[32*lane+:32];
        else begin
          memory[place] <= product ^ {state[15:0], state[31:16]};
          state <= product + 32'd1013904223;
          place <= place + product[31:24];
        end
      end
      always @(posedge clock) results[32*lane+:32] <= state;
    end
  endgenerate
endmodule
