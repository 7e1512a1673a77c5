// Maps a process's memory at its old addresses and fills it from the image. Context: restorer, running in its own place,
// everything else unmapped.
#pragma once
#include "restore/image_file.h"

namespace cairn::restore {

/// A virtual prefix of paths and what it is on this machine.
struct PathRule {
  const char* from;
  const char* to;
};

struct Memory {
  int pages_fd;
  const PathRule* rules;
  uint32_t rule_count;
};

/// vdso_moved: the kernel's own vdso is in place already. `shared`: also memory that children would share with their parent.
void map_memory(Image* image, const Memory& memory, bool vdso_moved, bool shared);
/// What map_memory has left out.
void map_shared_memory(Image* image, const Memory& memory);
/// Where the heap ends, the arguments are, …: what the kernel keeps of a process's layout.
void set_layout(const Image& image);

}  // namespace cairn::restore
