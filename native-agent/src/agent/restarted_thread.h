// Where the restorer sends the threads of a rebuilt process. Context: restoring; no thread pointer yet, all signals blocked.
#pragma once
#include "image/handoff.h"

namespace cairn::agent {

/// [quiesced] What only a thread itself can set again: kept for restarted_thread_entry.
void record_thread_attributes();

[[noreturn]] void restarted_agent_entry(const image::Handoff* handoff);

/// In the handoff's room, as the slot and the thread's stack.
struct ThreadStart {
  image::ThreadSlot* slot;
  image::Handoff* handoff;
};
[[noreturn]] void restarted_thread_entry(const ThreadStart* start);

/// [restoring] Signals that were pending are pending again when this returns. They have to be in all processes before a thread of any
/// runs, and sends what would come before them.
void queue_signals(image::Handoff* handoff);
/// [restoring]
void let_threads_go(image::Handoff* handoff);
/// [any] All of them are where the application is, or about to be: the kernel may still read a frame in the room, which therefore
/// stays until the next stop has seen where each thread is. Until then some are on stacks and in code that no image has.
[[nodiscard]] bool threads_have_left();
/// False: the deadline passed.
bool wait_for_threads(uint64_t deadline_ns);

}  // namespace cairn::agent
