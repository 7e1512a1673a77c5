#include "checkpoint/memory_flags.h"

#include <cairn/plugin.h>
#include <errno.h>
#include <sys/mman.h>

#include "events/host.h"
#include "sys/file.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;
using sys::Text;

enum : uint32_t { locked = 1u << 30, locked_on_fault = 1u << 31 };

struct Advice {
  const char* flag;
  int advice;
};
// The bit of each in Note::flags is its place here.
constexpr Advice advices[] = {
    {"hg", MADV_HUGEPAGE}, {"nh", MADV_NOHUGEPAGE}, {"dd", MADV_DONTDUMP},
    {"sr", MADV_SEQUENTIAL}, {"rr", MADV_RANDOM}, {"mg", MADV_MERGEABLE}, {"dc", MADV_DONTFORK}, {"wf", MADV_WIPEONFORK},
};
constexpr uint32_t advice_count = sizeof advices / sizeof advices[0];

struct Note {
  uint64_t start;
  uint64_t end;
  uint32_t flags;
};

// In the image.
Note* notes = nullptr;
uint32_t capacity = 0;
uint32_t count = 0;
int future_lock = 0;  // of mlockall

void add(uint64_t start, uint64_t end, uint32_t flags) {
  if (flags == 0) return;
  // A restart makes several mappings of one, by what is read at once and what later.
  if (count > 0 && notes[count - 1].end == start && notes[count - 1].flags == flags) notes[count - 1].end = end;
  else if (count < capacity) notes[count++] = {start, end, flags};
}

/// Kilobytes.
uint64_t locked_memory() {
  static char text[8192];
  long size = sys::read_all("/proc/thread-self/status", text, sizeof text);
  sys::TextReader reader(Text(text, failed(size) ? 0 : static_cast<size_t>(size)));
  uint64_t value = 0;
  while (!reader.done()) {
    Text line = reader.until('\n');
    if (!line.starts_with("VmLck:")) continue;
    sys::TextReader in(line.from(6));
    in.skip_spaces();
    in.number(&value);
  }
  return value;
}

/// The kernel does not say whether new memory is to be locked: a page shows it.
int probe_future_lock(uint64_t locked_before) {
  int64_t page = call(SYS_mmap, nullptr, sys::page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (failed(page)) return page == -EAGAIN ? MCL_FUTURE : 0;  // beyond what may be locked
  int flags = 0;
  if (locked_memory() > locked_before) {
    unsigned char resident = 0;
    bool there = !failed(call(SYS_mincore, page, sys::page_size, &resident)) && (resident & 1) != 0;
    flags = there ? MCL_FUTURE : MCL_FUTURE | MCL_ONFAULT;
  }
  call_unchecked(SYS_munmap, page, sys::page_size);
  return flags;
}

}  // namespace

bool has_smaps_flag(Text flags, Text flag) {
  for (size_t at = 0; at + flag.size < flags.size; ++at) {
    if (flags.data[at] == ' ' && Text(flags.data + at + 1, flag.size) == flag) return true;
  }
  return false;
}

bool begin_memory_flags(uint32_t mapping_count) {
  count = 0;
  future_lock = 0;
  uint32_t needed = 3 * mapping_count;  // locked, kept from forks, and the rest
  if (needed <= capacity) return true;
  uint32_t larger = needed + needed / 2;
  notes = static_cast<Note*>(events::allocate(uint64_t{larger} * sizeof(Note)));
  capacity = notes == nullptr ? 0 : larger;
  return notes != nullptr;
}

bool note_locked_memory(const MemoryMap& map, sys::Error* error) {
  uint64_t in_all = locked_memory();
  future_lock = probe_future_lock(in_all);
  if (in_all == 0) return true;
  constexpr size_t text_of_one = 1024;
  size_t room = (size_t{map.mapping_count} + 64) * text_of_one;
  int64_t memory = call(SYS_mmap, nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char* text = reinterpret_cast<char*>(memory);
  long size = failed(memory) ? memory : sys::read_all("/proc/thread-self/smaps", text, room);
  uint32_t index = 0;
  if (!failed(size)) {
    for_each_smaps_entry(Text(text, static_cast<size_t>(size)), [&](const SmapsEntry& entry) {
      const sys::MapLine& line = entry.line;
      while (index < map.mapping_count && map.mappings[index].end <= line.start) ++index;
      if (index == map.mapping_count) return false;
      // What is not in the list is Cairn's own.
      if (map.mappings[index].start >= line.end || !has_smaps_flag(entry.flags, "lo")) return true;
      bool whole = entry.resident_kb * 1024 >= line.end - line.start || line.protection == PROT_NONE;
      add(line.start, line.end, whole ? locked : locked_on_fault);
      return true;
    });
  }
  if (!failed(memory)) call_unchecked(SYS_munmap, memory, room);
  if (failed(size)) error->set(static_cast<Status>(size), "/proc/thread-self/smaps").add("cannot read which memory is locked");
  return !failed(size);
}

void note_advice(uint64_t start, uint64_t end, Text flags) {
  uint32_t bits = 0;
  for (uint32_t i = 0; i < advice_count; ++i) bits |= has_smaps_flag(flags, advices[i].flag) ? 1u << i : 0u;
  add(start, end, bits);
}

void restore_memory_flags(void (*log)(uint32_t level, const char* text)) {
  uint64_t unlocked = 0;
  long lock_error = 0, advice_error = 0;
  for (uint32_t n = 0; n < count; ++n) {
    const Note& note = notes[n];
    uint64_t size = note.end - note.start;
    for (uint32_t i = 0; i < advice_count; ++i) {
      if ((note.flags & (1u << i)) == 0) continue;
      long result = call(SYS_madvise, note.start, size, advices[i].advice);
      if (failed(result)) advice_error = result;
    }
    if ((note.flags & (locked | locked_on_fault)) == 0) continue;
    long result = (note.flags & locked) != 0 ? call(SYS_mlock, note.start, size) : call(SYS_mlock2, note.start, size, MLOCK_ONFAULT);
    if (!failed(result)) continue;
    unlocked += size;
    lock_error = result;
  }
  if (future_lock != 0) {
    long result = call(SYS_mlockall, future_lock);
    if (failed(result)) lock_error = result;
  }
  sys::TextBuffer<256> text;
  if (lock_error != 0) {
    text.add("Of the memory that the program had locked ").unsigned_number(unlocked / 1024)
        .add(" KB could not be locked again (error ").number(-lock_error).add("); RLIMIT_MEMLOCK may be lower here.");
    log(CAIRN_LOG_WARNING, text.c_str());
  }
  if (advice_error != 0) {
    text.clear();
    text.add("The kernel here does not take all that the program said of its memory (madvise, error ").number(-advice_error).add(").");
    log(CAIRN_LOG_WARNING, text.c_str());
  }
}

}  // namespace cairn::checkpoint
