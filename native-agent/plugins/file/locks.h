// Locks on files: flock(2), record locks, those of an open file description, and leases. Saved when quiesced, taken again when restoring.
#pragma once
#include "cairn/plugin.h"

namespace cairn::file {

/// [running] An operation begins.
void forget_locks();
/// [quiesced] Notes the locks that this process, or the open file description, holds. 1, or -errno.
int32_t save_locks(const cairn_descriptor& descriptor);
/// [restoring] Takes them again. -EAGAIN: somebody else holds one.
int32_t lock_again();

}  // namespace cairn::file
