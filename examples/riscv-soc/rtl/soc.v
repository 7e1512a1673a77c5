// The SoC: core, RAM and peripherals on one bus. The memory map is decoded here (README.md has it for the program).
`timescale 1ns / 1ns

module soc (
    input  wire        clk,
    input  wire        rst,
    output wire        uart_tx,
    input  wire [31:0] init_loops,
    input  wire [31:0] work_loops,
    input  wire [31:0] seed,
    output wire        exit_valid,
    output wire [7:0]  exit_status
);
    wire [31:0] bus_addr, bus_wdata;
    wire [3:0]  bus_wstrb;
    wire        timer_irq;
    wire        bus_write = bus_wstrb != 4'b0000;

    wire sel_ram    = bus_addr[31:15] == 17'd0;            // 0000_0000 to 0000_7fff
    wire sel_timer  = bus_addr[31:16] == 16'h0200;         // 0200_0000 to 0200_ffff
    wire sel_uart   = bus_addr[31:4]  == 28'h1000_000;     // 1000_0000 to 1000_000f
    wire sel_simctl = bus_addr[31:4]  == 28'h1001_000;     // 1001_0000 to 1001_000f
    wire bus_error  = !(sel_ram || sel_timer || sel_uart || sel_simctl);

    wire [31:0] ram_rdata, uart_rdata, timer_rdata, simctl_rdata;
    wire [31:0] bus_rdata = sel_ram ? ram_rdata : sel_uart ? uart_rdata : sel_timer ? timer_rdata : simctl_rdata;

    rv32i_core core (
        .clk(clk), .rst(rst), .bus_addr(bus_addr), .bus_wdata(bus_wdata), .bus_wstrb(bus_wstrb), .bus_rdata(bus_rdata),
        .bus_error(bus_error), .timer_irq(timer_irq)
    );

    ram #(.WORDS(8192), .ADDR_BITS(13)) ram (
        .clk(clk), .write(sel_ram && bus_write), .word_addr(bus_addr[14:2]), .wdata(bus_wdata), .wstrb(bus_wstrb),
        .rdata(ram_rdata)
    );

    uart uart (
        .clk(clk), .rst(rst), .write(sel_uart && bus_write), .word_addr(bus_addr[3:2]), .wdata(bus_wdata[15:0]),
        .rdata(uart_rdata), .tx(uart_tx)
    );

    timer timer (
        .clk(clk), .rst(rst), .write(sel_timer && bus_write), .addr(bus_addr[15:0]), .wdata(bus_wdata), .rdata(timer_rdata),
        .irq(timer_irq)
    );

    simctl simctl (
        .clk(clk), .rst(rst), .write(sel_simctl && bus_write), .word_addr(bus_addr[3:2]), .wdata(bus_wdata[7:0]),
        .rdata(simctl_rdata), .init_loops(init_loops), .work_loops(work_loops), .seed(seed), .exit_valid(exit_valid),
        .exit_status(exit_status)
    );
endmodule
