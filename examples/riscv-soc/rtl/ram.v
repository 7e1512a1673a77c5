// RAM of 32-bit words with byte enables; reads answer in the same cycle. Its content comes from the testbench.
`timescale 1ns / 1ns

module ram #(
    parameter WORDS = 8192,
    parameter ADDR_BITS = 13
) (
    input  wire                 clk,
    input  wire                 write,
    input  wire [ADDR_BITS-1:0] word_addr,
    input  wire [31:0]          wdata,
    input  wire [3:0]           wstrb,
    output wire [31:0]          rdata
);
    reg [31:0] mem [0:WORDS-1];

    assign rdata = mem[word_addr];

    wire [31:0] mask = {{8{wstrb[3]}}, {8{wstrb[2]}}, {8{wstrb[1]}}, {8{wstrb[0]}}};

    always @(posedge clk) begin
        if (write)
            mem[word_addr] <= (rdata & ~mask) | (wdata & mask);
    end
endmodule
