// The mappings of this process, as they will be rebuilt, and which of them plugins own.
// Context: quiesced. Memory of the list comes from the agent's arena.
#pragma once
#include "image.pb.h"
#include "sys/arena.h"
#include "sys/error.h"
#include "sys/maps.h"

namespace cairn::checkpoint {

struct Mapping {
  uint64_t start;
  uint64_t end;
  uint32_t protection;
  cairn_image_MappingKind kind;
  uint32_t mapped_file;    // index in MemoryMap::files, for MAPPING_FILE
  uint64_t offset;
  sys::Text path;
  const char* copy;        // MAPPING_SHARED: content as it was while the threads were stopped
  bool whole;              // every page is content, even one that was not touched yet (restored from an image)
  uint64_t device;         // of the file or memory that is mapped; 0: none
  uint64_t inode;
};

struct MappedFile {
  sys::Text path;
  uint64_t size;
  uint64_t mtime_ns;
  uint64_t device;
  uint64_t inode;
};

struct MemoryMap {
  Mapping* mappings = nullptr;
  uint32_t mapping_count = 0;
  MappedFile* files = nullptr;
  uint32_t file_count = 0;
  uint64_t vdso_start = 0, vdso_end = 0;
  uint64_t vvar_start = 0, vvar_end = 0;
};

/// Areas that are no part of the application, and what earlier restarts left.
struct MemoryContext {
  uint64_t arena_start, arena_end;    // left out
  uint64_t names_start, names_end;    // shared names: left out
  uint64_t agent_start, agent_end;    // libcairn.so: copied, so that a snapshot does not depend on the installed one
  uint64_t pages_device, pages_inode; // the .pages file that this process was restarted from; 0: none
};

/// Where this library lies.
void library_extent(uint64_t* start, uint64_t* end);

/// Whether the content of a private mapping of a file belongs into the image.
using KeepsContent = bool (*)(const Mapping& mapping);
/// Offers a shared mapping of a file to the plugins: true if one claimed it.
using ClaimMapping = bool (*)(const Mapping& mapping, uint64_t device, uint64_t inode);

bool read_memory_map(sys::Arena* arena, const MemoryContext& context, ClaimMapping claim, KeepsContent keeps, MemoryMap* map,
                     sys::Error* error);

/// Copies the content of shared anonymous mappings, which a fork does not freeze. To be given back by release_copies.
bool copy_shared(MemoryMap* map, sys::Error* error);
void release_copies(MemoryMap* map);

}  // namespace cairn::checkpoint
