// Owns: what a restart needs of sets of semaphores, see semaphores.cc, and of the adjustments that SEM_UNDO asks for, see
// adjustments.cc.
#pragma once
#include <sys/ipc.h>
#include <sys/sem.h>

#include "sysv/names.h"

namespace cairn::sysv {

/// [running] A checkpoint begins: what the last one noted is void.
void forget_semaphores();
/// [quiesced] Saves what the computation has made and this process is elected to save.
int32_t save_semaphores();
/// [restoring] Makes what was saved here.
int32_t make_semaphores();

/// [any] An operation with SEM_UNDO has been done: what the kernel does at the end of this process changes.
void note_adjustment(int32_t virtual_id, uint16_t number, int operation);
/// [any] A value was set (SETVAL), or all of a set (SETALL): that ends what was to be undone.
void note_setting(int32_t virtual_id, int number, bool all);
/// [any] In a new process, which has none.
void forget_adjustments();
/// [quiesced] Leaves out what is no more.
int32_t check_adjustments();
/// [restoring] When all sets are made; and then, between barriers, what each process last changed.
int32_t set_adjustments();
int32_t change_last();
void forget_changes();

void prepare_semaphore_calls();

}  // namespace cairn::sysv
