// The alternate signal stack of a thread whose program has set it by a system call of its own, unseen by our wrapper (the runtime of
// Go does so): the kernel tells it to nobody but the thread. So the thread, stopped and seen, asks in code of ours, and its tracer puts
// it back: registers and mask, with what the kernel has of the call that it was in. Without its tracer it goes back by itself, by
// rt_sigreturn. The code uses no register but the general ones, and no call that the kernel begins again by itself.
// Context: the tracer, one thread at a time. Test: test/probes/signals/alternate_stack_raw.c.
#pragma once
#include <stdint.h>

#include "sys/context.h"

namespace cairn::trace {

struct AlternateStack {
  uint64_t sp;
  uint64_t size;
  uint32_t flags;
};

/// Some signal is handled on an alternate stack.
bool alternate_stacks_matter();

/// Lets a stopped thread, whose state is the arguments', ask. The thread runs then: wait for alternate_stack_told, stop it again, and
/// write back what it had. False: it cannot be asked.
bool ask_alternate_stack(int32_t tid, int32_t tracer, const sys::processor::Registers& registers, const char* xstate, uint64_t xstate_size, uint64_t mask);
bool alternate_stack_told(AlternateStack* told);
/// Whether a thread with this stack pointer is still on its way back from there.
[[nodiscard]] bool asks_for_alternate_stack(uint64_t stack);
/// The thread is stopped, or gone.
void alternate_stack_done();

}  // namespace cairn::trace
