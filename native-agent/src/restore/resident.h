// The resident restorer: a process that has a snapshot in memory and makes a copy of itself for every run that is asked for. A copy
// shares memory with the others until it is written to, and goes on with what is left of an ordinary restart: so descriptors, ids and
// connections are its own.
//
//   whoever asks    the standard input of a run is that of the restorer; over `control` (a stream socket) come orders, of
//                   three texts that end with NUL each: socket of the coordinator, file for the restorer's failure,
//                   socket to which standard output and then standard error are connected, all by absolute paths;
//                   while a run goes on, "!" ends it, and is forgotten where it comes too late
//   the restorer    "ready", "began PID", "failed WHY" and "ended STATUS" (as wait(2) gives it), a line each
//
// Invariants: one run at a time. When a run's first process has ended, or is to end, all that descends from it is killed and has
// been waited for, and what it has made of System V objects is removed, before "ended" is said. When `control` ends the restorer does the same and ends; a guard, which is its parent, does it
// where the restorer itself was killed.
// Context: restorer, stage one or two; all signals are blocked. Tests: test/faults/resident.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::restore {

struct RunOrder {
  char socket[108];
  char error_file[4096];
  char console[108];
};

/// Returns in a child of the caller, which stays behind as the guard until that has ended.
void leave_guard(int control);
/// Returns in the first process of each run.
void serve_runs(int control, RunOrder* order);

}  // namespace cairn::restore
