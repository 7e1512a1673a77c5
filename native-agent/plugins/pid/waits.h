// Waits that were under way at the checkpoint.
#pragma once

namespace cairn::pid {

/// When all processes have told their ids. [restoring]
void correct_waits();

/// [any] wait4(2) and waitid(2) as syscall(2) makes them, with the program's ids: the result or -errno.
long raw_wait4(const long* arguments);
long raw_waitid(const long* arguments);

}  // namespace cairn::pid
