// The testbench for Verilator, with the part of tb/tb.v: a 100 MHz clock, the waveform, the end of the simulation.
//
//   +vcd=FILE       waveform file, default soc.vcd; +novcd: none
//   +vcdall         all signals of the design instead of those in tb/monitor.v
//   +vcdevery=N     of every N stretches of 64 clock cycles only the first goes into the waveform (default 16; 1: all)
//   +maxcycles=N    ends with status 3 when the program has not ended by then
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <verilated.h>
#include <verilated_vcd_c.h>
#include "Vboard.h"

namespace {

constexpr vluint64_t half_period_ns = 5;
constexpr vluint64_t reset_until_ns = 42;
constexpr vluint64_t stretch_cycles = 64;

// The value of +name=VALUE; `otherwise` if it was not given.
std::string plusarg(VerilatedContext& context, const std::string& name, const std::string& otherwise) {
    const std::string prefix = "+" + name + "=";
    const std::string match = context.commandArgsPlusMatch((name + "=").c_str());
    return match.empty() ? otherwise : match.substr(prefix.size());
}

std::unique_ptr<VerilatedVcdC> open_waveform(VerilatedContext& context, Vboard& board) {
    context.traceEverOn(true);
    auto waveform = std::make_unique<VerilatedVcdC>();
    board.trace(waveform.get(), 99);
    if (*context.commandArgsPlusMatch("vcdall") == '\0')
        waveform->dumpvars(1, "TOP.board.monitor");
    const std::string file = plusarg(context, "vcd", "soc.vcd");
    waveform->open(file.c_str());
    if (!waveform->isOpen()) {
        std::fprintf(stderr, "error: cannot write the waveform %s; name another file by +vcd=FILE, or none by +novcd\n", file.c_str());
        std::exit(1);
    }
    return waveform;
}

}  // namespace

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vboard board(&context);
    std::unique_ptr<VerilatedVcdC> waveform;
    if (*context.commandArgsPlusMatch("novcd") == '\0')
        waveform = open_waveform(context, board);
    const vluint64_t every = std::strtoull(plusarg(context, "vcdevery", "16").c_str(), nullptr, 10);
    const vluint64_t max_cycles = std::strtoull(plusarg(context, "maxcycles", "0").c_str(), nullptr, 10);

    int status = 0;
    board.rst = 1;
    board.clk = 0;
    board.eval();
    for (vluint64_t cycle = 0;; cycle++) {
        const bool dump = waveform && (every <= 1 || cycle / stretch_cycles % every == 0);
        if (board.bad_setup) {
            status = 1;
            break;
        }
        if (board.exit_valid) {
            status = board.exit_status;
            break;
        }
        if (max_cycles != 0 && cycle >= max_cycles) {
            std::printf("error: the program did not end within %" PRIu64 " cycles\n", max_cycles);
            status = 3;
            break;
        }
        if (dump)
            waveform->dump(context.time());
        context.timeInc(half_period_ns);
        board.rst = context.time() < reset_until_ns;
        board.clk = 1;
        board.eval();
        if (dump)
            waveform->dump(context.time());
        context.timeInc(half_period_ns);
        board.clk = 0;
        board.eval();
    }
    board.final();
    if (waveform)
        waveform->close();
    return status;
}
