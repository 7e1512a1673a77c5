// What the program knows of the simulation around it: the parameters of the run, and how to end it.
//
//   +0   EXIT  write: ends the simulation with this exit status
//   +4   INIT  read: loops of the initialisation
//   +8   WORK  read: loops of the region of interest
//   +C   SEED  read: start value of the tables
`timescale 1ns / 1ns

module simctl (
    input  wire        clk,
    input  wire        rst,
    input  wire        write,
    input  wire [1:0]  word_addr,
    input  wire [7:0]  wdata,
    output reg  [31:0] rdata,
    input  wire [31:0] init_loops,
    input  wire [31:0] work_loops,
    input  wire [31:0] seed,
    output reg         exit_valid,
    output reg  [7:0]  exit_status
);
    always @(posedge clk) begin
        if (rst) begin
            exit_valid <= 1'b0;
            exit_status <= 8'd0;
        end else if (write && word_addr == 2'd0) begin
            exit_valid <= 1'b1;
            exit_status <= wdata;
        end
    end

    always @* begin
        case (word_addr)
            2'd1: rdata = init_loops;
            2'd2: rdata = work_loops;
            2'd3: rdata = seed;
            default: rdata = 32'b0;
        endcase
    end
endmodule
