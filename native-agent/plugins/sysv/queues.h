// Owns: what a restart needs of message queues, see queues.cc.
#pragma once
#include <sys/ipc.h>
#include <sys/msg.h>

#include "sysv/names.h"

namespace cairn::sysv {

/// [running] A checkpoint begins: what the last one noted is void.
void forget_queues();
/// [quiesced] Saves what the computation has made and this process is elected to save.
int32_t save_queues();
/// [restoring] Makes what was saved here.
int32_t make_queues();

void prepare_queue_calls();

}  // namespace cairn::sysv
