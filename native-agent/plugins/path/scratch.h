// Blocks of memory for one path each, so that the wrappers take little of the stack of whoever calls them: threads may have one of a
// few pages, handlers of signals less. Any context, lock-free. A thread that is cancelled or jumps away keeps its blocks: then, and when
// many threads are at it at once, blocks are mapped and unmapped. Test: test/probes/threads/small_stacks.c.
#pragma once
#include <limits.h>
#include <stddef.h>

namespace cairn::path {

inline constexpr size_t kScratchSize = PATH_MAX;

char *take_scratch();
void give_scratch(char *block);

}  // namespace cairn::path
