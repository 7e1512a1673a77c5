// The SoC with what stands around it in both simulators: the terminal on its serial line, the run's parameters from the
// command line, the program in its RAM. The clock, reset, waveform and end of simulation are the business of tb.v
// (Icarus) or of verilator/main.cpp.
//
//   +init=N  +work=N  +seed=N   parameters of the program (decimal); INIT and WORK are their defaults
//   +program=FILE               the program, in the form of $readmemh
`timescale 1ns / 1ns

module board #(
    parameter INIT = 100,
    parameter WORK = 20
) (
    input  wire       clk,
    input  wire       rst,
    output wire       exit_valid,
    output wire [7:0] exit_status,
    output reg        bad_setup   // the run cannot start; a message has been printed
);
    wire uart_tx;

    reg [31:0]     init_loops, work_loops, seed;
    reg [8*1024:1] program_file;
    integer        file;

    initial begin
        bad_setup = 1'b0;
        if (!$value$plusargs("init=%d", init_loops))
            init_loops = INIT;
        if (!$value$plusargs("work=%d", work_loops))
            work_loops = WORK;
        if (!$value$plusargs("seed=%d", seed))
            seed = 32'd1;
        if (!$value$plusargs("program=%s", program_file))
            program_file = `PROGRAM;
        file = $fopen(program_file, "r");
        if (file == 0) begin
            $display("error: cannot read the program %0s; name it by +program=FILE (make program builds sw/program.hex)", program_file);
            bad_setup = 1'b1;
        end else begin
            $fclose(file);
            $readmemh(program_file, soc.ram.mem);
        end
    end

    soc soc (
        .clk(clk), .rst(rst), .uart_tx(uart_tx), .init_loops(init_loops), .work_loops(work_loops), .seed(seed),
        .exit_valid(exit_valid), .exit_status(exit_status)
    );

    monitor monitor (
        .clk(clk), .rst(rst), .pc(soc.core.pc), .store(soc.core.bus_wstrb),
        .store_addr(soc.bus_write ? soc.bus_addr : 32'b0), .store_data(soc.bus_wdata), .timer_irq(soc.timer_irq),
        .mtime(soc.timer.mtime[31:0]), .uart_tx(uart_tx), .exit_valid(exit_valid), .exit_status(exit_status)
    );

    terminal terminal (.clk(clk), .rst(rst), .rx(uart_tx));
endmodule
