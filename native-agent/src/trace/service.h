// Holding tracees of the application for as long as the computation is stopped. The kernel lets only the thread that traces a thread
// look at it, so that one does it itself: stopped and seen like all others, it is then sent by our tracer into the code here, with
// all signals blocked and on a stack of ours, and returns to what it did by rt_sigreturn. A tracee that is in a stop stays in it;
// one that runs is interrupted, and goes on as it was let go before; its tracer sees nothing of that.
//
// Invariants: should our tracer die, the thread here lets the tracees go and returns by itself. No descriptor is opened here: others
// list them meanwhile. Context: the application's tracing thread; the rest: the process that stops the threads.
// Tests: test/probes/tracing.
#pragma once
#include "sys/context.h"
#include "trace/request.h"

namespace cairn::trace {

/// [tracer] A place for one thread's service; nullptr: all are taken. Its state is what it returns to.
struct Slot;
Slot* take_slot(int32_t real_tid, int32_t tracer, const sys::processor::Registers& registers, const char* xstate, uint64_t xstate_size,
                uint64_t mask);
/// [tracer] Why threads of programs for this processor cannot be held by who traces them; nullptr: they can.
const char* why_not_held();
/// [tracer] Where the thread is to go on.
void enter(const Slot* slot, sys::processor::Registers* registers);
/// [tracer] Adds a tracee to be held; false: no room. Again with the same one: nothing.
bool add(Slot* slot, int32_t real_tid, uint64_t request);
/// [tracer] Whoever is held here is let go when its own process says so, or soon.
void release(Slot* slot);
/// In a process that has just begun (after a fork or a restart): nobody serves here.
void reset_services();
/// Is that stack one of a slot's?
[[nodiscard]] bool in_service(uint64_t stack);

}  // namespace cairn::trace
