// Calls that a stop has cut short: one that waits in the middle gives, when it is interrupted, what it has done by then, as for a signal; but
// here no signal came that the program could know of, and many programs take such a call for a whole one (a blocking write, a read of a
// terminal with VMIN, dd's read of /dev/zero). So such a thread goes on in code of ours, which makes the rest of the call, on its own stack
// below the red zone, and returns to where the call would have, with the whole count. It needs nobody for that: it goes on so in this
// process, without its tracer, and in restarts; and is itself such a call when it is stopped once more.
// Which calls these are, and when one is whole: rest_plan.cc.
// Not: 32-bit programs; threads that a debugger traces; descriptors and calls that do not wait; where a signal is there, which explains the
// short count (one that comes between the stop and the return is handled first, and the rest follows); recvmsg with room for control
// messages on a local socket, whose size the kernel has overwritten.
// Tests: see rest.h
#pragma once
#include <stdint.h>

#include "sys/context.h"

namespace cairn::trace {

/// Of a stopped thread of this process: true: its call was cut short, and the registers are now those with which it goes on.
bool continue_cut_call(int32_t process, int32_t tid, sys::processor::Registers* registers);

}  // namespace cairn::trace
