// In a restarted process large parts of the memory are private mappings of the image's .pages file, so that a restart does not
// wait for them. Two calls would show the difference to anonymous memory: madvise(MADV_DONTNEED) has to give zeros, not the
// image's content, and mremap has to grow by zeros. libc's functions of these names are redirected here, in memory, once a
// restart has made such mappings; before a first restart nothing is changed and nothing is slower.
// Context: install() restoring, no thread of the application runs; the calls: any.
#pragma once
#include "image/handoff.h"

namespace cairn::agent {

/// [init] Looks libc's functions up.
void find_memory_calls();
void install_memory_calls(const image::Handoff& handoff);

}  // namespace cairn::agent
