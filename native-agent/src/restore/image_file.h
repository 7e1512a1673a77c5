// The image of one process as the restorer works with it: checked, decoded into plain lists.
// Context: restorer. The lists and all texts live in the buffer that the caller gave.
#pragma once
#include <stdint.h>

#include "image/handoff.h"
#include "image/records.h"
#include "sys/arena.h"

namespace cairn::restore {

using sys::Text;

struct MappedFile {
  Text path;
};

struct Mapping {
  uint64_t start;
  uint64_t end;
  uint64_t offset;
  uint32_t protection;
  cairn_image_MappingKind kind;
  uint32_t file;
  Text name;  // as the kernel showed it
};

struct Run {
  uint64_t address;
  uint64_t bytes;
  uint64_t offset;
};

struct Thread {
  cairn_image_Thread record;
  Text registers;
  Text xstate;
  Text name;
};

struct Image {
  cairn_image_Header header;
  cairn_image_Memory memory;
  Text auxv;
  MappedFile* files;
  uint32_t file_count;
  Mapping* mappings;
  uint32_t mapping_count;
  Run* runs;
  uint32_t run_count;
  Thread* threads;
  uint32_t thread_count;
  image::LazyRange* lazy;  // filled as memory is mapped; room for one a run
  uint32_t lazy_count;
};

/// Bytes that decode_image needs at most for a .meta file of this size.
uint64_t decoded_size(uint64_t file_size);
/// Gives up (restore::give_up) on anything that is wrong. `file` must outlive the image.
void decode_image(Text file, sys::Arena* arena, Image* image);

}  // namespace cairn::restore
