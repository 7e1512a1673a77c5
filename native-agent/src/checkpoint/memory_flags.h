// What the application asked the kernel for memory beyond its protection: locked (mlock, mlockall), huge pages or none, order of
// access, no core dump, merging (madvise). Only /proc/self/smaps tells, and only slowly.
// What is locked is not inherited by a fork, so it is looked up while the application is held, and only where something is locked;
// the rest is read by the writer, in its copy. Either notes it in memory of the agent's, which goes into the image: the
// restorer knows nothing of it.
// What the new host does not permit (RLIMIT_MEMLOCK) or its kernel does not know is left out, and the log says so.
// Contexts as said. Test: test/probes/memory/locked.c, locked_all.c.
#pragma once
#include "checkpoint/memory_map.h"

namespace cairn::checkpoint {

/// What smaps says of one mapping.
struct SmapsEntry {
  sys::MapLine line;
  uint64_t resident_kb;  // swapped pages included
  sys::Text flags;       // "VmFlags: rd wr …"
};

/// Calls visit(entry) for each mapping until it returns false.
template <typename Visit>
void for_each_smaps_entry(sys::Text smaps, Visit visit) {
  sys::TextReader reader(smaps);
  SmapsEntry entry = {};
  while (!reader.done()) {
    sys::Text raw = reader.until('\n');
    sys::TextReader in(raw);
    sys::MapLine next;
    if (raw.starts_with("VmFlags:")) {
      entry.flags = raw;
      if (!visit(entry)) return;
    } else if (raw.starts_with("Rss:") || raw.starts_with("Swap:")) {
      uint64_t value = 0;
      in.until(':');
      in.skip_spaces();
      in.number(&value);
      entry.resident_kb += value;
    } else if (sys::next_map_line(&in, &next)) {
      entry = {next, 0, {}};
    }
  }
}

/// flag: two letters.
bool has_smaps_flag(sys::Text flags, sys::Text flag);

/// [quiesced] Makes room for notes of this many mappings; may allocate by events::allocate. Begins anew. False: no memory.
bool begin_memory_flags(uint32_t mapping_count);
/// [quiesced] Notes what is locked, now and in future.
bool note_locked_memory(const MemoryMap& map, sys::Error* error);
/// [quiesced, writer] Notes the other flags of a mapping.
void note_advice(uint64_t start, uint64_t end, sys::Text flags);

/// [restoring] Asks for all of it again.
void restore_memory_flags(void (*log)(uint32_t level, const char* text));

}  // namespace cairn::checkpoint
