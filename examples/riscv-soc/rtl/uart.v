// Transmitter of a serial line: 8 data bits, no parity, one stop bit.
//
//   +0  TXDATA   write: sends the low byte; ignored while busy
//   +4  STATUS   bit 0: busy
//   +8  DIVISOR  clock cycles a bit, 2 to 65535
`timescale 1ns / 1ns

module uart #(
    parameter RESET_DIVISOR = 16'd4
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        write,
    input  wire [1:0]  word_addr,
    input  wire [15:0] wdata,
    output reg  [31:0] rdata,
    output wire        tx
);
    reg [15:0] divisor, countdown;
    reg [9:0]  shift;      // next bit to send is bit 0
    reg [3:0]  bits_left;

    wire busy = bits_left != 4'd0;
    assign tx = shift[0];

    always @(posedge clk) begin
        if (rst) begin
            divisor <= RESET_DIVISOR;
            countdown <= 16'd0;
            shift <= 10'h3ff;
            bits_left <= 4'd0;
        end else begin
            if (write && word_addr == 2'd2)
                divisor <= wdata < 16'd2 ? 16'd2 : wdata;
            if (busy) begin
                if (countdown == 16'd0) begin
                    countdown <= divisor - 16'd1;
                    shift <= {1'b1, shift[9:1]};
                    bits_left <= bits_left - 4'd1;
                end else
                    countdown <= countdown - 16'd1;
            end else if (write && word_addr == 2'd0) begin
                countdown <= divisor - 16'd1;
                shift <= {1'b1, wdata[7:0], 1'b0};
                bits_left <= 4'd10;
            end
        end
    end

    always @* begin
        case (word_addr)
            2'd1: rdata = {31'b0, busy};
            2'd2: rdata = {16'b0, divisor};
            default: rdata = 32'b0;
        endcase
    end
endmodule
