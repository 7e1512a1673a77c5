// The other end of the serial line: prints what it receives to the simulation's console, flushed at each end of line.
// Samples in the middle of a bit; DIVISOR is the UART's. The flush comes one cycle after the end of line, because Verilator
// with threads prints only at the end of a cycle.
`timescale 1ns / 1ns

module terminal #(
    parameter DIVISOR = 16'd4
) (
    input wire clk,
    input wire rst,
    input wire rx
);
    reg [15:0] countdown;
    reg [3:0]  bits_left;  // 10: waiting for the middle of the start bit, 9 to 2: data bits, 1: the stop bit
    reg [7:0]  data;
    reg        flush;

    always @(posedge clk) begin
        flush <= 1'b0;
        if (flush)
            $fflush(32'h8000_0001);
        if (rst) begin
            countdown <= 16'd0;
            bits_left <= 4'd0;
            data <= 8'd0;
        end else if (bits_left == 4'd0) begin
            if (!rx) begin
                bits_left <= 4'd10;
                countdown <= (DIVISOR >> 1) - 16'd1;
            end
        end else if (countdown != 16'd0)
            countdown <= countdown - 16'd1;
        else begin
            countdown <= DIVISOR - 16'd1;
            bits_left <= bits_left - 4'd1;
            if (bits_left <= 4'd9 && bits_left >= 4'd2)
                data <= {rx, data[7:1]};
            if (bits_left == 4'd1) begin
                $write("%c", data);
                flush <= data == 8'h0a;
            end
        end
    end
endmodule
