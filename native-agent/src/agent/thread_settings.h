// What prctl(2) sets for the calling thread alone, and tells nobody else: the signal at its parent's death, the mode at memory errors,
// kept capabilities, the slack of timers. The wrapper of prctl keeps a record in the thread's own storage; the thread sets it again after a restart.
// A raw system call escapes it. Test: test/probes/attributes/prctl.c.
#pragma once
#include <stdint.h>

namespace cairn::agent {

/// [init] In the first thread: what a program executed before has left.
void read_thread_settings();
/// In a new process: the kernel hands none of the first kind on.
void forget_thread_settings();
/// [restoring] In a thread whose thread pointer is its own again; nothing where that is none of libc's.
void restore_thread_settings(uint64_t thread_pointer);

}  // namespace cairn::agent
