// Memory that the application keeps from its forked children (madvise: MADV_DONTFORK, MADV_WIPEONFORK): what writes the snapshot is
// such a child. The advice is taken back for the moment of the fork and given again in both lives: to the process at once, to the
// restarted one from the notes of memory_flags.h.
// Only /proc/self/smaps tells of it, and only slowly: so libc's madvise notes whether it was ever given here (syscall(2) comes by it, too),
// and a program that was attached is looked at once. What a system call of the program's own advises is found missing by the writer, and refused.
// Contexts as said. Test: test/probes/memory/left_out.c, advice_raw.c
#pragma once
#include "checkpoint/memory_map.h"

namespace cairn::checkpoint {

/// [quiesced] Lets a fork copy all memory. False: it cannot be; what was lifted is put back by the other.
bool lift_fork_advice(const MemoryMap& map, sys::Error* error);
/// [quiesced]
void put_fork_advice_back();

/// [init] Looks up what the wrapper needs.
void prepare_fork_advice();
/// [running] The program has run without the agent: it may have advised anything.
void look_for_fork_advice();

}  // namespace cairn::checkpoint
