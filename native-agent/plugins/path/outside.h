// Files beyond the working folder that were open at a checkpoint: a run of its own has copies of them, below `.cairn/outside` of its
// folder. The shared names tell all processes which, also those that never had them open. A later restart takes over what earlier runs
// have there, since the files at the old places are not those that the program has written. Any context, no libc.
// Test: test/probes/outside.test.ts.
#pragma once
#include "path_text.h"

namespace cairn::path {

/// The content of this file beyond the working folder is in the run folder.
void tell_outside(const PathText &path);
/// Whether it is; `real` is then where.
bool told_outside(const PathText &path, PathText &real);
/// The way back.
bool from_outside(const char *real, size_t length, PathText &path);

/// [restoring] In the first process: copies of earlier runs become this run's; before any file is restored. 0 or -errno, after host->fail.
int32_t take_outside_over();
/// [restoring] In each process: files that it knows to be in an earlier run's folder are in this run's.
int32_t move_outside();

}  // namespace cairn::path
