// What simulator the program is, found by the symbols of its executable, exported or not: the functions of VPI, and where a call of them is
// safe. Nothing is asked of the program itself. Once found it stays so for the life of the process.
// Context: Cairn's own thread. Tests: test/simulators/signals.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "hdl/vpi.h"

namespace cairn::hdl {

enum class Simulator : uint32_t { unknown, icarus, verilator };

struct Program {
  Simulator simulator = Simulator::unknown;
  Vpi vpi = {};
  // Icarus: its scheduler looks at a flag between two events, and calls stop_handler.
  void (*stop_handler)(int32_t) = nullptr;
  void (*schedule_stop)(int32_t) = nullptr;
  bool (*schedule_stopped)() = nullptr;
  void (*signals_handler)(int32_t) = nullptr;  // which sets the scheduler's flag by itself; nullptr: this Icarus has it under another name
  int32_t* mode_flag = nullptr;
  // Verilator: each model's evaluation; and what it knows of its variables.
  static constexpr uint32_t most_models = 8;
  void (*evaluate[most_models])(void* model) = {};
  uint32_t models = 0;
  // final(), and the destructor: where there is nothing to do for final() the compiler may have left out its call.
  static constexpr uint32_t most_ends = 4 * most_models;
  void (*end[most_ends])(void* model) = {};
  uint32_t ends = 0;
  const void* (*find_scope)(const void* context, const char* name) = nullptr;
  const void* (*find_variable)(const void* scope, const char* name) = nullptr;
  const void* (*thread_context)() = nullptr;  // not there where the compiler has put it into its callers
  const void* const* last_context = nullptr;
  const void* (*scope_names)(const void* context) = nullptr;
};

/// Of this process; nullptr: host->fail has said what is missing, and *error is what it gave: -ENOENT: it is no simulation at all. Where
/// `quiet` nothing is said of one that shows no sign of being a simulation, and *error is -ENOENT.
const Program* program(const cairn_host* host, int32_t* error, bool quiet = false);

}  // namespace cairn::hdl
