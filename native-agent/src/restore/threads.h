// The last step: the agent's arena with the handoff, the room for threads that begin, and the threads, each of which begins in
// the agent's code.
// Context: restorer, all memory in place.
#pragma once
#include "restore/image_file.h"
#include "restore/layout.h"

namespace cairn::restore {

struct HandoffFacts {
  const char* socket;
  const char* folder;
  Range restorer;
  uint64_t pages_device;
  uint64_t pages_inode;
  const image::EndedChild* ended;
  uint32_t ended_count;
};

[[noreturn]] void start_threads(const Image& image, const HandoffFacts& facts);

}  // namespace cairn::restore
