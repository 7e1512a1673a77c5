// Guard regions: pages that the kernel keeps closed within a mapping (madvise: MADV_GUARD_INSTALL, Linux 6.13), as libraries lay them
// around stacks and buffers. /proc/PID/maps does not show them, and whoever reads one is killed: so is what writes a snapshot.
// Kernels before 6.15 do not tell them from swapped pages; all of them leave swapped pages where they are when guards are taken away.
// Contexts as said. Test: test/probes/memory/guard_regions.c
#pragma once
#include "checkpoint/memory_map.h"

namespace cairn::checkpoint {

/// [quiesced] Makes room for notes; may allocate by events::allocate. False: no memory.
bool begin_guard_regions();
/// [writer] Notes those of the mappings in memory that goes into the image, and opens them in this copy, where they read as zeros.
bool note_guard_regions(const MemoryMap& map, sys::Error* error);

/// [restoring] Makes them again.
void restore_guard_regions(void (*log)(uint32_t level, const char* text));

}  // namespace cairn::checkpoint
