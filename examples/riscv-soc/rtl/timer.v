// Machine timer, laid out as in the RISC-V CLINT: `irq` is high while mtime >= mtimecmp.
//
//   +4000, +4004  MTIMECMP  low, high
//   +BFF8, +BFFC  MTIME     low, high; counts once in PRESCALE clock cycles
`timescale 1ns / 1ns

module timer #(
    parameter PRESCALE = 8'd100
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        write,
    input  wire [15:0] addr,
    input  wire [31:0] wdata,
    output reg  [31:0] rdata,
    output wire        irq
);
    reg [7:0]  prescaler;
    reg [63:0] mtime, mtimecmp;

    assign irq = mtime >= mtimecmp;

    always @(posedge clk) begin
        if (rst) begin
            prescaler <= 8'd0;
            mtime <= 64'd0;
            mtimecmp <= ~64'd0;
        end else begin
            if (prescaler == PRESCALE - 8'd1) begin
                prescaler <= 8'd0;
                mtime <= mtime + 64'd1;
            end else
                prescaler <= prescaler + 8'd1;
            if (write) begin
                case (addr)
                    16'h4000: mtimecmp[31:0] <= wdata;
                    16'h4004: mtimecmp[63:32] <= wdata;
                    16'hbff8: mtime[31:0] <= wdata;
                    16'hbffc: mtime[63:32] <= wdata;
                    default: ;
                endcase
            end
        end
    end

    always @* begin
        case (addr)
            16'h4000: rdata = mtimecmp[31:0];
            16'h4004: rdata = mtimecmp[63:32];
            16'hbff8: rdata = mtime[31:0];
            16'hbffc: rdata = mtime[63:32];
            default: rdata = 32'b0;
        endcase
    end
endmodule
