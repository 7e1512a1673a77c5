// Plugins that watch the simulation and change its signals while it runs: the functions of "cairn.design/1" (plugin.h), by VPI alone. How the
// simulation comes there is icarus.cc and verilator.cc; each tells this file what it has come to, and is told by it what is awaited.
// Context: the simulation's thread, where VPI may be called, unless said otherwise. Tests: test/simulators/faults.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "hdl/program.h"

namespace cairn::hdl {

/// What a simulator does so that a watcher is reached.
struct Expected {
  /// The time has come: watch_time() is to be called when its assignments are made; at once where it is over.
  void (*time)(uint64_t ticks);
  /// watch_time() is to be called soon after that; nothing that is done for it keeps a simulation going that would end before.
  void (*limit)(uint64_t ticks);
  /// watch_settled() at the end of this time step.
  void (*settled)();
  /// watch_changes() when a signal may have changed, and the time step's assignments are made. nullptr: it is called at each step all the same.
  bool (*change)(Handle object);
};

/// [init] For host->publish.
const cairn_design& design_functions(const cairn_host* host);

void watch_begin(const Program& program, const Expected& expected);
void watch_time();
/// Whether values have been put.
bool watch_changes();
void watch_settled();
void watch_end();
/// What anybody waits for. Where it is nothing there is no need to call the others; for a limit it is enough to call watch_time() now and then.
enum class Waits : uint32_t { nothing, limit, all };
Waits watch_waits();
/// The first time that anybody has as a limit; UINT64_MAX: nobody.
uint64_t watch_limit();
/// In a restarted or forked process: who goes on watching there says so again.
void forget_watchers();
/// Values have been put since this was last asked.
bool watch_has_put();

/// [restoring] By the simulators: watch_begin comes first.
int32_t watch_icarus(const cairn_host* host, const Program& program);
int32_t watch_verilator(const cairn_host* host, const Program& program);

}  // namespace cairn::hdl
