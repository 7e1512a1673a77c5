// Owns: what a restart needs of sets of semaphores, see semaphores.cc, and the adjustments that SEM_UNDO asks for.
#pragma once
#include <sys/ipc.h>
#include <sys/sem.h>

#include "sysv/names.h"

namespace cairn::sysv {

/// [running] A checkpoint begins: what the last one noted is void.
void forget_semaphores();
/// [quiesced] Saves what the computation has made and this process is elected to save. -ENOTSUP: adjustments are due here.
int32_t save_semaphores();
/// [restoring] Makes what was saved here.
int32_t make_semaphores();

/// [any] An operation with SEM_UNDO has been done: what the kernel does at the end of this process changes.
void note_adjustment(int32_t virtual_id, uint16_t number, int operation);
/// [any] In a new process, which has none.
void forget_adjustments();

void prepare_semaphore_calls();

}  // namespace cairn::sysv
