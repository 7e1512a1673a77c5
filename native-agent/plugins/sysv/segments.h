// Owns: what a restart needs of the segments of shared memory, see segments.cc, and of their attachments, see attachments.cc.
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
/// [quiesced] Saves one, unless another process does or it is no more. maker: virtual pid, or none: as the kernel says.
int32_t save_segment(int32_t id, int32_t real, int64_t maker);
/// [restoring] Its id of now, or -ENOENT.
int32_t real_segment(int32_t id);
/// [any] Says what failed with a segment. Returns `error`.
int32_t fail_segment(long error, int32_t id, const char* what);
/// [restoring] The restart fails: what was made here does not stay. Returns `error`.
int32_t undo_segments(int32_t error);
/// [restoring] Makes what was saved here.
int32_t make_segments();
/// [restoring] Attaches one again.
int32_t attach_segment(cairn_mapping* mapping);
/// [restoring] What attaching needed beside the attachments themselves is given back.
void end_attaching();
/// [restoring] All have attached theirs.
int32_t finish_segments();

void prepare_segment_calls();

}  // namespace cairn::sysv
