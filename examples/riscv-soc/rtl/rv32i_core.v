// RV32I core with machine mode (Zicsr, timer interrupt), one bus for instructions and data.
//
// The bus is driven from registers and answers in the same cycle. An instruction takes one cycle, a load or store two:
//
//   EXEC  `bus_rdata` is the instruction at `pc`; it is executed and the bus gets the address of the next one,
//         or of this instruction's data
//   MEM   the bus has the load or store of the instruction at `pc`
//
// Traps are precise: `pc` changes only when an instruction is complete. No user mode; WFI does not wait.
// One clocked process executes an instruction; its temporaries (assigned by `=`) do not live from one cycle to the next.
`timescale 1ns / 1ns

module rv32i_core #(
    parameter RESET_PC = 32'h0000_0000
) (
    input  wire        clk,
    input  wire        rst,
    output reg  [31:0] bus_addr,
    output reg  [31:0] bus_wdata,
    output reg  [3:0]  bus_wstrb,   // 0: read
    input  wire [31:0] bus_rdata,
    input  wire        bus_error,   // nothing at that address
    input  wire        timer_irq
);
    localparam EXEC = 1'b0, MEM = 1'b1;

    localparam [4:0] OP_LOAD = 5'b00000, OP_FENCE = 5'b00011, OP_IMM = 5'b00100, OP_AUIPC = 5'b00101, OP_STORE = 5'b01000,
                     OP_REG = 5'b01100, OP_LUI = 5'b01101, OP_BRANCH = 5'b11000, OP_JALR = 5'b11001, OP_JAL = 5'b11011,
                     OP_SYSTEM = 5'b11100;

    localparam [31:0] CAUSE_FETCH_MISALIGNED = 0, CAUSE_FETCH_FAULT = 1, CAUSE_ILLEGAL = 2, CAUSE_BREAKPOINT = 3,
                      CAUSE_LOAD_MISALIGNED = 4, CAUSE_LOAD_FAULT = 5, CAUSE_STORE_MISALIGNED = 6, CAUSE_STORE_FAULT = 7,
                      CAUSE_ECALL = 11, CAUSE_TIMER = 32'h8000_0007;

    localparam [31:0] ECALL = 32'h0000_0073, EBREAK = 32'h0010_0073, MRET = 32'h3020_0073, WFI = 32'h1050_0073;

    reg        state;
    reg [31:0] pc;
    reg [31:0] regs [0:31];

    // Machine-mode registers. Those bits that nothing uses read as zero.
    reg        mstatus_mie, mstatus_mpie, mie_mtie;
    reg [31:0] mtvec, mepc, mcause, mtval, mscratch;
    reg [63:0] mcycle, minstret;

    // The load or store from EXEC to MEM; its address is bus_addr.
    reg        mem_load;
    reg [2:0]  mem_funct3;
    reg [4:0]  mem_rd;

    function [31:0] alu(input [2:0] funct3, input alternative, input [31:0] a, input [31:0] b);
        case (funct3)
            3'd0: alu = alternative ? a - b : a + b;
            3'd1: alu = a << b[4:0];
            3'd2: alu = {31'b0, $signed(a) < $signed(b)};
            3'd3: alu = {31'b0, a < b};
            3'd4: alu = a ^ b;
            3'd5: alu = alternative ? $unsigned($signed(a) >>> b[4:0]) : a >> b[4:0];
            3'd6: alu = a | b;
            default: alu = a & b;
        endcase
    endfunction

    function branch_taken(input [2:0] funct3, input [31:0] a, input [31:0] b);
        case (funct3)
            3'd0: branch_taken = a == b;
            3'd1: branch_taken = a != b;
            3'd4: branch_taken = $signed(a) < $signed(b);
            3'd5: branch_taken = $signed(a) >= $signed(b);
            3'd6: branch_taken = a < b;
            default: branch_taken = a >= b;
        endcase
    endfunction

    // The part of a word that a load asks for.
    function [31:0] loaded(input [2:0] funct3, input [1:0] lane, input [31:0] word);
        reg [31:0] shifted;
        begin
            shifted = word >> {lane, 3'b000};
            case (funct3)
                3'd0: loaded = {{24{shifted[7]}}, shifted[7:0]};
                3'd1: loaded = {{16{shifted[15]}}, shifted[15:0]};
                3'd4: loaded = {24'b0, shifted[7:0]};
                3'd5: loaded = {16'b0, shifted[15:0]};
                default: loaded = shifted;
            endcase
        end
    endfunction

    integer i;
    initial begin
        for (i = 0; i < 32; i = i + 1)
            regs[i] = 32'b0;
    end

    // Temporaries of the process below.
    reg [31:0] instr, a, b, result, address, next_pc, cause, tval, csr_operand, csr_new;
    reg [2:0]  funct3;
    reg        writes_rd, to_memory, trap, csr_writes;

    /* verilator lint_off BLKSEQ */
    always @(posedge clk) begin
        instr = bus_rdata;
        funct3 = instr[14:12];
        next_pc = pc + 32'd4;
        address = next_pc;
        result = 32'b0;
        writes_rd = 1'b0;
        to_memory = 1'b0;
        trap = 1'b0;
        cause = CAUSE_ILLEGAL;
        tval = instr;
        csr_operand = 32'b0;
        csr_new = 32'b0;
        csr_writes = 1'b0;
        a = 32'b0;
        b = 32'b0;

        if (rst) begin
            state <= EXEC;
            pc <= RESET_PC;
            bus_addr <= RESET_PC;
            bus_wdata <= 32'b0;
            bus_wstrb <= 4'b0000;
            mem_load <= 1'b0;
            mem_funct3 <= 3'd0;
            mem_rd <= 5'd0;
            mstatus_mie <= 1'b0;
            mstatus_mpie <= 1'b0;
            mie_mtie <= 1'b0;
            mtvec <= 32'b0;
            mepc <= 32'b0;
            mcause <= 32'b0;
            mtval <= 32'b0;
            mscratch <= 32'b0;
            mcycle <= 64'b0;
            minstret <= 64'b0;
        end else begin
            mcycle <= mcycle + 64'd1;

            // ---- execute, or finish the load or store ----
            if (state == MEM) begin
                if (bus_error) begin
                    trap = 1'b1;
                    cause = mem_load ? CAUSE_LOAD_FAULT : CAUSE_STORE_FAULT;
                    tval = bus_addr;
                end else if (mem_load && mem_rd != 5'd0)
                    regs[mem_rd] <= loaded(mem_funct3, bus_addr[1:0], bus_rdata);
            end else if (timer_irq && mstatus_mie && mie_mtie) begin
                trap = 1'b1;
                cause = CAUSE_TIMER;
                tval = 32'b0;
            end else if (bus_error) begin
                trap = 1'b1;
                cause = CAUSE_FETCH_FAULT;
                tval = pc;
            end else if (instr[1:0] != 2'b11)
                trap = 1'b1;
            else begin
                a = regs[instr[19:15]];
                case (instr[6:2])
                    OP_IMM: begin
                        writes_rd = 1'b1;
                        result = alu(funct3, funct3 == 3'd5 && instr[30], a, {{21{instr[31]}}, instr[30:20]});
                        trap = (funct3 == 3'd1 && instr[31:25] != 7'd0) ||
                               (funct3 == 3'd5 && (instr[31:25] & 7'b1011111) != 7'd0);
                    end
                    OP_REG: begin
                        writes_rd = 1'b1;
                        result = alu(funct3, instr[30], a, regs[instr[24:20]]);
                        trap = (instr[31:25] & 7'b1011111) != 7'd0 || (instr[30] && funct3 != 3'd0 && funct3 != 3'd5);
                    end
                    OP_BRANCH: begin
                        if (branch_taken(funct3, a, regs[instr[24:20]]))
                            next_pc = pc + {{20{instr[31]}}, instr[7], instr[30:25], instr[11:8], 1'b0};
                        trap = funct3[2:1] == 2'd1;
                    end
                    OP_LOAD: begin
                        to_memory = 1'b1;
                        address = a + {{21{instr[31]}}, instr[30:20]};
                        trap = funct3[1:0] == 2'd3 || funct3 == 3'd6;
                    end
                    OP_STORE: begin
                        to_memory = 1'b1;
                        address = a + {{21{instr[31]}}, instr[30:25], instr[11:7]};
                        b = regs[instr[24:20]];
                        trap = funct3[1:0] == 2'd3 || funct3[2];
                    end
                    OP_LUI: begin
                        writes_rd = 1'b1;
                        result = {instr[31:12], 12'b0};
                    end
                    OP_AUIPC: begin
                        writes_rd = 1'b1;
                        result = pc + {instr[31:12], 12'b0};
                    end
                    OP_JAL: begin
                        writes_rd = 1'b1;
                        result = next_pc;
                        next_pc = pc + {{12{instr[31]}}, instr[19:12], instr[20], instr[30:21], 1'b0};
                    end
                    OP_JALR: begin
                        writes_rd = 1'b1;
                        result = next_pc;
                        next_pc = (a + {{21{instr[31]}}, instr[30:20]}) & ~32'd1;
                        trap = funct3 != 3'd0;
                    end
                    OP_FENCE: ;
                    OP_SYSTEM:
                        if (funct3[1:0] != 2'd0) begin
                            writes_rd = 1'b1;
                            csr_operand = funct3[2] ? {27'b0, instr[19:15]} : a;
                            csr_writes = funct3[1:0] == 2'd1 || instr[19:15] != 5'd0;
                            trap = csr_writes && instr[31:30] == 2'b11;  // read-only
                            case (instr[31:20])
                                12'h300: result = {19'b0, 2'b11, 3'b0, mstatus_mpie, 3'b0, mstatus_mie, 3'b0};
                                12'h301: result = 32'h4000_0100;  // misa: RV32I
                                12'h304: result = {24'b0, mie_mtie, 7'b0};
                                12'h305: result = mtvec;
                                12'h340: result = mscratch;
                                12'h341: result = mepc;
                                12'h342: result = mcause;
                                12'h343: result = mtval;
                                12'h344: result = {24'b0, timer_irq, 7'b0};
                                12'hb00, 12'hc00: result = mcycle[31:0];
                                12'hb02, 12'hc02: result = minstret[31:0];
                                12'hb80, 12'hc80: result = mcycle[63:32];
                                12'hb82, 12'hc82: result = minstret[63:32];
                                12'hf11, 12'hf12, 12'hf13, 12'hf14: result = 32'b0;
                                default: trap = 1'b1;
                            endcase
                            case (funct3[1:0])
                                2'd1: csr_new = csr_operand;
                                2'd2: csr_new = result | csr_operand;
                                default: csr_new = result & ~csr_operand;
                            endcase
                        end else if (instr == MRET)
                            next_pc = mepc;
                        else if (instr == ECALL) begin
                            trap = 1'b1;
                            cause = CAUSE_ECALL;
                            tval = 32'b0;
                        end else if (instr == EBREAK) begin
                            trap = 1'b1;
                            cause = CAUSE_BREAKPOINT;
                            tval = pc;
                        end else
                            trap = instr != WFI;
                    default: trap = 1'b1;
                endcase
                if (!trap) begin
                    if (to_memory && ((funct3[1:0] == 2'd1 && address[0]) || (funct3[1:0] == 2'd2 && address[1:0] != 2'd0))) begin
                        trap = 1'b1;
                        cause = instr[5] ? CAUSE_STORE_MISALIGNED : CAUSE_LOAD_MISALIGNED;
                        tval = address;
                    end else if (next_pc[1:0] != 2'd0) begin
                        trap = 1'b1;
                        cause = CAUSE_FETCH_MISALIGNED;
                        tval = next_pc;
                    end
                end
            end

            // ---- write back, and drive the bus ----
            if (trap) begin
                next_pc = mtvec;
                mstatus_mpie <= mstatus_mie;
                mstatus_mie <= 1'b0;
                mepc <= pc;
                mcause <= cause;
                mtval <= tval;
            end else begin
                if (!to_memory)
                    minstret <= minstret + 64'd1;
                if (writes_rd && instr[11:7] != 5'd0)
                    regs[instr[11:7]] <= result;
                if (state == EXEC && instr == MRET) begin
                    mstatus_mie <= mstatus_mpie;
                    mstatus_mpie <= 1'b1;
                end
                if (csr_writes) begin
                    case (instr[31:20])
                        12'h300: begin
                            mstatus_mie <= csr_new[3];
                            mstatus_mpie <= csr_new[7];
                        end
                        12'h304: mie_mtie <= csr_new[7];
                        12'h305: mtvec <= {csr_new[31:2], 2'b00};
                        12'h340: mscratch <= csr_new;
                        12'h341: mepc <= {csr_new[31:2], 2'b00};
                        12'h342: mcause <= csr_new;
                        12'h343: mtval <= csr_new;
                        default: ;
                    endcase
                end
            end
            if (to_memory && !trap) begin
                state <= MEM;
                mem_load <= !instr[5];
                mem_funct3 <= funct3;
                mem_rd <= instr[11:7];
                bus_addr <= address;
                case (funct3[1:0])
                    2'd0: begin
                        bus_wdata <= {4{b[7:0]}};
                        bus_wstrb <= instr[5] ? 4'b0001 << address[1:0] : 4'b0000;
                    end
                    2'd1: begin
                        bus_wdata <= {2{b[15:0]}};
                        bus_wstrb <= instr[5] ? (address[1] ? 4'b1100 : 4'b0011) : 4'b0000;
                    end
                    default: begin
                        bus_wdata <= b;
                        bus_wstrb <= {4{instr[5]}};
                    end
                endcase
            end else begin
                state <= EXEC;
                pc <= next_pc;
                bus_addr <= next_pc;
                bus_wstrb <= 4'b0000;
            end
        end
    end
    /* verilator lint_on BLKSEQ */
endmodule
