// Owns: what a restart needs of the segments of shared memory, see segments.cc.
#pragma once
#include <sys/ipc.h>
#include <sys/shm.h>

#include "sysv/names.h"

namespace cairn::sysv {

/// [running] A checkpoint begins: what the last one noted is void.
void forget_segments();
/// [quiesced] Saves what the computation has made and this process is elected to save.
int32_t save_segments();
/// [quiesced] A segment that is attached here.
int32_t claim_segment(cairn_mapping* mapping);
/// [restoring] Makes what was saved here.
int32_t make_segments();
/// [restoring] Attaches one again.
int32_t attach_segment(cairn_mapping* mapping);
/// [restoring] All have attached theirs.
int32_t finish_segments();

void prepare_segment_calls();

}  // namespace cairn::sysv
