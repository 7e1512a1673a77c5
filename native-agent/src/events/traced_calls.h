// Calls of wrappers of plugins from outside, one by one, while somebody looks on (`cairn plugin trace --calls`). Where nobody does, callers
// are led to the wrappers themselves, and nothing of this is run.
//
// While it is on, a caller is led to an *entry* of ours, one for each wrap, which notes the time, calls the wrapper as the caller does, and
// notes how long that took. It is a frame like any other: exceptions, longjmp and the end of a thread pass through it, and a checkpoint
// stops threads in it. An entry works for good, since programs keep pointers to functions; it notes nothing when tracing is off.
//
// What does not return is not noted. What is noted goes to a queue of fixed size, without a lock and without waiting, from any thread and signal handler; what does not
// fit is counted.
// Context: as each says. Test: test/probes/wrapper-calls.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::events {

constexpr uint32_t traced_wraps = 256;

/// Leads to the wrapper that `trace_wrapper` names; 0: this wrap cannot be traced.
uintptr_t traced_entry(uint32_t number);

struct TracedCall {
  uint32_t number;    // of the wrap
  int32_t thread;     // real
  uint64_t began_ns;  // CLOCK_MONOTONIC
  uint64_t took_ns;
};

/// [init, quiesced, restoring] Before the first call by an entry: where it leads to.
void trace_wrapper(uint32_t number, uintptr_t wrapper);

/// [Cairn's thread] What entries do from now on.
void note_calls(bool on);
/// [Cairn's thread] The oldest that was noted. False: there is none.
bool take_call(TracedCall* call);
/// How many had no place since this was last asked.
uint64_t take_dropped_calls();
/// [in a new process, where no other thread is] What others were about to note never comes.
void forget_noted_calls();

}  // namespace cairn::events
