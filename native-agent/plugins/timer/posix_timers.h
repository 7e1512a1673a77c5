// Owns: the timers that timer_create(2) made.
#pragma once
#include "cairn/plugin.h"

namespace cairn::timer {

/// [quiesced] Reads all of them with the time that each has left. 0 or -errno, said by host->fail.
int32_t save_posix_timers(const cairn_host* host);

/// [restoring] Makes them again under the kernel's same ids, and lets them run.
int32_t create_posix_timers(const cairn_host* host);
int32_t start_posix_timers(const cairn_host* host);

}  // namespace cairn::timer
