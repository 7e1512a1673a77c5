// Process groups and sessions in a restarted computation. Sessions are there when the agent begins (the restorer made them);
// groups are joined here. Context: restoring.
#pragma once
#include "pid/rows.h"

namespace cairn::pid {

/// What every process notes before the first barrier.
void begin_groups(const State& state);
/// Leaders make their groups; a group that had lost its leader gets a stand-in.
int32_t lead_group(const State& state);
/// The others join.
int32_t join_group(const State& state);
/// Everybody has joined: stand-ins end.
void end_stand_in();

}  // namespace cairn::pid
