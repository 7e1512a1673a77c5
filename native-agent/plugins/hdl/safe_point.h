// How the simulation's own thread comes to where VPI may be called and a value that is put is not lost, in a simulation that knows nothing
// of us. Each simulator has its way; both are entered once for each request (plugin.h, cairn_entry), and nothing is left in between, but in models of
// Verilator's as long as anybody watches.
#pragma once
#include <cairn/plugin.h>

#include "hdl/program.h"

namespace cairn::hdl {

/// [Cairn's own thread] The simulation will come; what it then does is in serving.h.
int32_t arm_icarus(const cairn_host* host, const Program& program);
int32_t arm_verilator(const cairn_host* host, const Program& program);
/// [any] Nobody waits for it any more.
void disarm_icarus(const cairn_host* host);
void disarm_verilator(const cairn_host* host);
/// In a restarted or forked process: another thread may be the one that evaluates.
void forget_thread_of_verilator();

}  // namespace cairn::hdl
