// Testbench for Icarus Verilog: a 100 MHz clock, the waveform, the end of the simulation. verilator/main.cpp does the same.
//
//   +vcd=FILE       waveform file, default soc.vcd; +novcd: none
//   +vcdall         all signals of the design instead of those in monitor.v
//   +maxcycles=N    ends with status 3 when the program has not ended by then
`timescale 1ns / 1ns

module tb;
    reg clk = 1'b0;
    reg rst = 1'b1;
    wire exit_valid, bad_setup;
    wire [7:0] exit_status;

    board #(.INIT(`INIT), .WORK(`WORK)) board (
        .clk(clk), .rst(rst), .exit_valid(exit_valid), .exit_status(exit_status), .bad_setup(bad_setup)
    );

    always #5 clk = !clk;
    initial #42 rst = 1'b0;

    reg [8*1024:1] vcd_file;
    reg [63:0]     max_cycles, cycles;

    initial begin
        cycles = 64'd0;
        if (!$value$plusargs("maxcycles=%d", max_cycles))
            max_cycles = 64'd0;
        if (!$test$plusargs("novcd")) begin
            if (!$value$plusargs("vcd=%s", vcd_file))
                vcd_file = "soc.vcd";
            $dumpfile(vcd_file);
            if ($test$plusargs("vcdall"))
                $dumpvars(0, board);
            else
                $dumpvars(1, board.monitor);
        end
    end

    always @(posedge clk) begin
        cycles <= cycles + 64'd1;
        if (bad_setup)
            $finish_and_return(1);
        else if (exit_valid)
            $finish_and_return({24'b0, exit_status});
        else if (max_cycles != 64'd0 && cycles >= max_cycles) begin
            $display("error: the program did not end within %0d cycles", max_cycles);
            $finish_and_return(3);
        end
    end
endmodule
