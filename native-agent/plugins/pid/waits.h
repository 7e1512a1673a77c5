// Waits that were under way at the checkpoint.
#pragma once
#include <stdint.h>

namespace cairn::pid {

/// When all processes have told their ids. [restoring]
void correct_waits();

/// [any] wait4(2) and waitid(2) as syscall(2) makes them, with the program's ids: the result or -errno.
long raw_wait4(const long* arguments);
long raw_waitid(const long* arguments);

/// [any] Whether a child that has ended and was waited for is none of the program's: what Cairn had made for a process that was killed, adopted here.
/// To be asked once.
bool is_cairns(int32_t real_id);

}  // namespace cairn::pid
