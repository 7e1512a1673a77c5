// The simulation's own time, where the program offers VPI (IEEE 1800, clause 38): asked in a copy of the process that is
// thrown away afterwards, so that whatever the simulator does in the call, the computation cannot be harmed.
// Context: the writer.
#pragma once
#include "checkpoint/stop.h"

namespace cairn::checkpoint {

/// Address of vpi_get_time in the program or one of its libraries, and of vpi_get; to be set before the threads are stopped.
void find_simulated_time();
/// Leaves `text` empty when the time is unknown. Ticks in decimal; a tick is 10^*unit seconds.
void read_simulated_time(char* text, size_t capacity, int32_t* unit, const Stop& stop);

}  // namespace cairn::checkpoint
