// After a restart the application's tracers attach their tracees again, each in the stop in which it was, or running as it was let go.
// Both sides do it in agent/restarted_thread.cc on their way back: the tracee waits there until it is attached, and is then taken
// through the rt_sigreturn that gives it its state. Whether a stop had been waited for is as it was, too.
//
// Context: threads of the application between the restorer and their own code, all signals blocked. Tests: test/probes/tracing.
#pragma once
#include <stdint.h>

namespace cairn::trace {

/// [quiesced] The threads of this process that somebody of the computation traces; part of the image.
void forget_traced();
bool add_traced(int32_t virtual_tid);

/// Is this thread to be attached? Then it waits for that; false: its tracer did not come.
[[nodiscard]] bool is_traced(int32_t virtual_tid);
bool await_tracer(int32_t virtual_tid);
/// [restoring] How many threads wait so, and how many of them have their own state again.
[[nodiscard]] uint32_t awaiting_count();
[[nodiscard]] uint32_t attached_count();
/// [restoring] Nobody waits yet.
void expect_tracers();

/// Attaches what this thread traced.
void attach_again(int32_t virtual_tid);

}  // namespace cairn::trace
