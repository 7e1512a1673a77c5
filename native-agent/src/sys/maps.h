// The lines of /proc/PID/maps.
#pragma once
#include <sys/mman.h>

#include "sys/text.h"

namespace cairn::sys {

struct MapLine {
  uint64_t start;
  uint64_t end;
  uint32_t protection;  // PROT_*
  bool shared;
  uint64_t offset;
  uint32_t device_major;
  uint32_t device_minor;
  uint64_t inode;
  Text path;  // as the kernel prints it, " (deleted)" included; empty: anonymous
};

/// Parses the next line; false at the end of the text or on a line that is not one of maps.
inline bool next_map_line(TextReader* reader, MapLine* line) {
  uint64_t number = 0;
  Text raw = reader->until('\n');
  TextReader in(raw);
  if (!in.number(&line->start, 16) || !in.skip('-') || !in.number(&line->end, 16) || !in.skip(' ')) return false;
  Text mode = in.until(' ');
  if (mode.size < 4) return false;
  line->protection = (mode.data[0] == 'r' ? PROT_READ : 0u) | (mode.data[1] == 'w' ? PROT_WRITE : 0u) |
                     (mode.data[2] == 'x' ? PROT_EXEC : 0u);
  line->shared = mode.data[3] == 's';
  if (!in.number(&line->offset, 16) || !in.skip(' ')) return false;
  if (!in.number(&number, 16) || !in.skip(':')) return false;
  line->device_major = static_cast<uint32_t>(number);
  if (!in.number(&number, 16) || !in.skip(' ')) return false;
  line->device_minor = static_cast<uint32_t>(number);
  if (!in.number(&line->inode)) return false;
  in.skip_spaces();
  line->path = in.rest();
  return true;
}

}  // namespace cairn::sys
