// What the waveform shows unless +vcdall is given: the signals to follow a run by, gathered from the hierarchy.
// Few enough that the waveform of a whole run stays small.
`timescale 1ns / 1ns

/* verilator lint_off UNUSEDSIGNAL */
module monitor (
    input wire        clk,
    input wire        rst,
    input wire [31:0] pc,
    input wire [3:0]  store,        // byte lanes that are written in this cycle
    input wire [31:0] store_addr,   // 0 when nothing is
    input wire [31:0] store_data,
    input wire        timer_irq,
    input wire [31:0] mtime,
    input wire        uart_tx,
    input wire        exit_valid,
    input wire [7:0]  exit_status
);
endmodule
/* verilator lint_on UNUSEDSIGNAL */
