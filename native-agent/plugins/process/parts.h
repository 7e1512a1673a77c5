// Owns: the parts of the plugin `process`. Each saves [quiesced] and restores [restoring]: 0, or -errno said by host->fail.
#pragma once
#include "cairn/plugin.h"

namespace cairn::process {

/// Working directory and umask.
int32_t save_folder(const cairn_host* host);
int32_t restore_folder(const cairn_host* host);

/// Resource limits.
int32_t save_limits(const cairn_host* host);
int32_t restore_limits(const cairn_host* host);

/// Name, nice value, policy and processors of each thread.
int32_t save_threads(const cairn_host* host);
int32_t restore_threads(const cairn_host* host);

/// Refuses what threads have each for itself, or processes together, that a restart could not make so again.
int32_t check_sharing(const cairn_host* host);

/// Notes with how many filters of system calls the computation was started; refuses threads that have more.
void note_filters(const cairn_host* host);
int32_t check_filters(const cairn_host* host);
/// Says where a restart has fewer than the program had.
void compare_filters(const cairn_host* host);

/// What prctl(2) and /proc set for the whole process, and what belongs to a thread and cannot be set for another one.
int32_t save_flags(const cairn_host* host);
int32_t restore_flags(const cairn_host* host);

inline long pointer(const volatile void* address) { return reinterpret_cast<long>(const_cast<const void*>(address)); }

}  // namespace cairn::process
