// Owns: extended attributes (user.*) of files whose content goes with the snapshot, and so do these. Those of other kinds are the system's.
// Test: test/probes/files/attributes.c
#pragma once
#include "cairn/plugin.h"

namespace cairn::file {

struct OpenFile;

/// [running] An operation begins.
void forget_attributes();
/// [quiesced] 0, or -errno after host->fail.
int32_t save_attributes(OpenFile* file, int32_t fd);
/// [restoring] The file at `fd` has those and no others.
void set_attributes(const OpenFile& file, int32_t fd);

}  // namespace cairn::file
