// Owns: the moment between the end of a child's first thread and that of its last. Such a child is a zombie to all who look, but the kernel
// gives its status to nobody yet. Debuggers rely on the two being one for a program that has one thread: a process that they see as a
// zombie, and for which there is nothing to wait, they take for lost. With a thread of Cairn's in each process it is two for all. So a
// wait that finds nothing asks again when a child that is ending has ended.
// Context: any; no lock, no allocation. Test: test/probes/processes/zombie_seen.c.
#pragma once
#include <stdint.h>

namespace cairn::pid {

/// Whether that child (its kernel id; all children of the calling thread where `any`, for which a debugger asks) is over: it may
/// have been in that moment, which is waited for, or ended right now. Looks at /proc: only for a wait that has found nothing.
bool await_ending(int32_t real_child, bool any);

}  // namespace cairn::pid
