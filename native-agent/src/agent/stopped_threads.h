// Moments for plugins in which all threads of the process stand, at a time of theirs, and the registers of those that stand: host->stop,
// host->registers. What was asked is in the image, but counts for the process that asked: a restart forgets it.
// Context: as said at each. Test: test/faults/process.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "image/handoff.h"

namespace cairn::agent {

/// [any] As host->stop.
int32_t ask_stop(cairn_stop* stop);
/// [running, Cairn's own thread] Calls back those that are due. Nanoseconds until it has to look again; 0: there is none.
uint64_t look_for_stops();
/// In a forked or restarted process.
void forget_stops();

/// [restoring] host->registers is about the threads of a restart.
void use_registers_of(const image::Handoff& handoff);
void forget_registers();

}  // namespace cairn::agent
