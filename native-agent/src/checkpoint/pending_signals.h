// Signals that were sent and not yet delivered: of the process and of single threads, with their siginfo and in their order.
// Recorded by the tracer; in the image; queued again in a restarted process by the threads themselves, since the kernel lets
// only the receiver forge a siginfo.
#pragma once
#include <signal.h>
#include <stdint.h>

namespace cairn::checkpoint {

struct PendingSignal {
  int32_t virtual_tid;  // 0: of the process
  uint8_t info[128];    // siginfo_t
};

/// The tracer; threads are stopped. real_tid's own queue, or (shared) that of its process.
/// One that somebody else has read; virtual_tid 0: of the process.
void add_pending(int32_t virtual_tid, siginfo_t info, int32_t (*virtual_id)(int32_t));
void record_pending(int32_t real_tid, bool shared, int32_t (*virtual_id)(int32_t real_id));
void forget_pending();
/// False: there was no memory for all of them.
bool pending_is_whole();
/// A thread of the restarted process, all signals blocked, all actions in place. The leader also takes the process's.
/// real_id: the kernel's name today for a sender.
void queue_pending(int32_t virtual_tid, int32_t real_pid, int32_t real_tid, bool leader, int32_t (*real_id)(int32_t virtual_id));

}  // namespace cairn::checkpoint
