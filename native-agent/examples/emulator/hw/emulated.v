// What is loaded into a run slot: the SoC of examples/riscv-soc, its parameters, and a transactor on its serial line, which turns bits
// into the bytes that the slot's console pipe takes. Memory is reached by back door (hw/access.vlt), as emulators do.
`timescale 1ns / 1ns

module emulated (
    input  wire        clk,
    input  wire        rst,
    input  wire [31:0] init_loops,
    input  wire [31:0] work_loops,
    input  wire [31:0] seed,
    output wire        exit_valid,
    output wire [7:0]  exit_status,
    output reg         console_valid,  // for one cycle
    output reg  [7:0]  console_data
);
    localparam [15:0] DIVISOR = 16'd4;

    wire uart_tx;

    initial $readmemh(`PROGRAM, soc.ram.mem);

    soc soc (
        .clk(clk), .rst(rst), .uart_tx(uart_tx), .init_loops(init_loops), .work_loops(work_loops), .seed(seed),
        .exit_valid(exit_valid), .exit_status(exit_status)
    );

    reg [15:0] countdown;
    reg [3:0]  bits_left;  // 10: waiting for the middle of the start bit, 9 to 2: data bits, 1: the stop bit

    always @(posedge clk) begin
        console_valid <= 1'b0;
        if (rst) begin
            countdown <= 16'd0;
            bits_left <= 4'd0;
            console_data <= 8'd0;
        end else if (bits_left == 4'd0) begin
            if (!uart_tx) begin
                bits_left <= 4'd10;
                countdown <= (DIVISOR >> 1) - 16'd1;
            end
        end else if (countdown != 16'd0)
            countdown <= countdown - 16'd1;
        else begin
            countdown <= DIVISOR - 16'd1;
            bits_left <= bits_left - 4'd1;
            if (bits_left <= 4'd9 && bits_left >= 4'd2)
                console_data <= {uart_tx, console_data[7:1]};
            console_valid <= bits_left == 4'd1;
        end
    end
endmodule
