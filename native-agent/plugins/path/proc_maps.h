// The lists of mappings in /proc (maps, smaps): after a restart an application that opens one gets a copy with virtual paths, in which
// memory that the restart has mapped from the snapshot's pages shows as the anonymous memory that it is for the application. [any]
// Test: test/probes/paths.test.ts.
#pragma once
#include <stdint.h>

namespace cairn::path {

/// "/proc/PID/maps", "/proc/self/task/TID/smaps" and the like.
bool is_memory_map(const char *real);
/// The descriptor of a copy, or negative: the file itself is as good.
int32_t memory_map_copy(const char *real);

}  // namespace cairn::path
