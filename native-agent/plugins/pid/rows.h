// Owns: the rows of the tables "pid" and "thread".
#pragma once
#include <stdint.h>

#include "cairn/plugin.h"

namespace cairn::pid {

/// What an id of the computation is today and was before the last restart. 0: none.
struct Named {
  int32_t virtual_id;
  int32_t real_id;
  int32_t before;
};

/// What the plugin knows of this process beside the tables.
struct State {
  Named process;
  Named group;
  Named session;
  Named parent;
  uint64_t since_ns;
};

/// [running, quiesced]
void emit_pid_rows(const State& state, int32_t (*thread_before)(int32_t virtual_id), cairn_emit_row emit, void* context);
void emit_thread_rows(const State& state, int32_t (*thread_before)(int32_t virtual_id), cairn_emit_row emit, void* context);

}  // namespace cairn::pid
