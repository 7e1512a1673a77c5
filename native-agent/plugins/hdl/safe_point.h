// How the simulation's own thread comes to where VPI may be called and a value that is put is not lost, in a simulation that knows nothing
// of us. Each simulator has its way; both are entered once for each request (plugin.h, cairn_entry), and nothing is left in between.
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

}  // namespace cairn::hdl
