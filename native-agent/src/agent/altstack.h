// Alternate signal stacks: the kernel tells a thread's own only to that thread, so the wrapper of sigaltstack keeps a record.
#pragma once
#include "checkpoint/process_state.h"

namespace cairn::agent {

/// Of the calling thread; at the same distance from the thread pointer in every thread.
checkpoint::RecordedAltstack* recorded_altstack();
/// Where each thread has it, from its thread pointer (may wrap).
uint64_t altstack_offset();

}  // namespace cairn::agent
