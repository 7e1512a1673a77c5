#include "events/names.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "cairn/plugin.h"
#include "sys/file.h"
#include "sys/futex.h"
#include "sys/text.h"
#include "wire/names_table.h"

namespace cairn::events {
namespace {

using sys::call;
using sys::failed;

using wire::being_written;
using wire::live;
using wire::removed;
using wire::unused;
using Entry = wire::NameEntry;

constexpr uint64_t file_size = wire::names_size;
constexpr uint32_t capacity = wire::names_capacity;
constexpr uint64_t patience_ns = 20'000'000;

/// Behind the entries, as debug-adapter/src/platform/runtime.ts writes it: which host this is. Never changed.
struct HostNote {
  uint32_t number;
  uint32_t machine;
};
static_assert(capacity * sizeof(Entry) + sizeof(HostNote) <= file_size);
HostNote unmapped_host = {};
const HostNote* host_note = &unmapped_host;

Entry* table = nullptr;

/// Processes are listed while all threads are stopped: they have a part of their own, which is soon looked through.
struct Part {
  uint32_t start;
  uint32_t size;
};
Part part_of(uint32_t space) {
  constexpr uint32_t for_processes = 4096;
  return space == CAIRN_NAMES_PROCESS ? Part{0, for_processes} : Part{for_processes, capacity - for_processes};
}

uint32_t first_place(uint32_t space, int64_t key, Part part) {
  uint64_t mixed = (static_cast<uint64_t>(key) + space * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
  return static_cast<uint32_t>((mixed ^ (mixed >> 32)) % part.size);
}

/// Waits while an entry is being written. Whoever writes it may have been stopped or killed at it: after a while it is taken away,
/// and the writer, if it goes on, finds that and begins anew.
uint32_t state_of(Entry& entry) {
  uint64_t deadline = 0;
  for (uint32_t looks = 0;; ++looks) {
    uint32_t state = __atomic_load_n(&entry.state, __ATOMIC_ACQUIRE);
    if (state != being_written) return state;
    if (looks < 100) continue;
    sys::call_unchecked(SYS_sched_yield);
    if (deadline == 0) deadline = sys::now_ns() + patience_ns;
    if (sys::now_ns() > deadline) __atomic_compare_exchange_n(&entry.state, &state, removed, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  }
}

Entry* find(uint32_t space, int64_t key) {
  if (table == nullptr) return nullptr;
  Part part = part_of(space);
  uint32_t place = first_place(space, key, part);
  for (uint32_t step = 0; step < part.size; ++step, place = (place + 1) % part.size) {
    Entry& entry = table[part.start + place];
    uint32_t state = state_of(entry);
    if (state == unused) return nullptr;
    if (state == live && entry.space == space && entry.key == key) return &entry;
  }
  return nullptr;
}

Entry* insert(uint32_t space, int64_t key, int64_t value) {
  Part part = part_of(space);
  uint32_t place = first_place(space, key, part);
  for (uint32_t step = 0; step < part.size; ++step, place = (place + 1) % part.size) {
    Entry& entry = table[part.start + place];
    uint32_t state = state_of(entry);
    if (state != unused && state != removed) continue;
    if (!__atomic_compare_exchange_n(&entry.state, &state, being_written, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
      // Somebody else was faster here; it may have been with the same key.
      if (find(space, key) != nullptr) return nullptr;
      continue;
    }
    entry.space = space;
    entry.key = key;
    entry.value = value;
    state = being_written;
    if (__atomic_compare_exchange_n(&entry.state, &state, live, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return &entry;
  }
  return nullptr;
}

/// A process that was killed leaves its name behind.
bool forget_the_dead() {
  bool any = false;
  Part part = part_of(CAIRN_NAMES_PROCESS);
  for (uint32_t place = part.start; place < part.start + part.size; ++place) {
    Entry& entry = table[place];
    uint32_t state = live;
    if (state_of(entry) != live || call(SYS_kill, entry.value, 0) != -ESRCH) continue;
    any = __atomic_compare_exchange_n(&entry.state, &state, removed, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED) || any;
  }
  return any;
}

}  // namespace

sys::Status map_names(const char* agent_socket) {
  const char* slash = strrchr(agent_socket, '/');
  if (slash == nullptr) return -ENOENT;
  sys::TextBuffer<256> path;
  path.add(sys::Text(agent_socket, static_cast<size_t>(slash - agent_socket))).add("/names");
  sys::UniqueFd fd = sys::open(path.c_str(), O_RDWR);
  if (!fd.ok()) return fd.status();
  if (call(SYS_lseek, fd.get(), 0, SEEK_END) < static_cast<long>(file_size)) return -EINVAL;
  int64_t mapped = call(SYS_mmap, nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (failed(mapped)) return static_cast<sys::Status>(mapped);
  table = reinterpret_cast<Entry*>(mapped);
  host_note = reinterpret_cast<const HostNote*>(mapped + static_cast<long>(file_size - sizeof(HostNote)));
  return 0;
}

void forget_names() {
  table = nullptr;
  host_note = &unmapped_host;
}

uint32_t host_number() { return host_note->number; }

void names_extent(uint64_t* start, uint64_t* end) {
  *start = reinterpret_cast<uintptr_t>(table);
  *end = table == nullptr ? 0 : *start + file_size;
}

int32_t set_name(uint32_t space, int64_t key, int64_t value) {
  int64_t holder;
  for (;;) {
    int32_t result = claim_name(space, key, value, &holder);
    if (result != -EEXIST) return result;
    Entry* entry = find(space, key);
    if (entry == nullptr) continue;  // removed meanwhile
    __atomic_store_n(&entry->value, value, __ATOMIC_RELEASE);
    return 0;
  }
}

int32_t claim_name(uint32_t space, int64_t key, int64_t value, int64_t* holder) {
  if (table == nullptr) return -ENOENT;
  for (;;) {
    if (const Entry* entry = find(space, key)) {
      *holder = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
      return -EEXIST;
    }
    Entry* made = insert(space, key, value);
    if (made != nullptr) {
      // Two that claimed at the same moment at two places: the first on the way that readers take has it.
      Entry* first = find(space, key);
      if (first == made || first == nullptr) return 0;
      __atomic_store_n(&made->state, removed, __ATOMIC_RELEASE);
      *holder = __atomic_load_n(&first->value, __ATOMIC_ACQUIRE);
      return -EEXIST;
    }
    if (find(space, key) == nullptr && (space != CAIRN_NAMES_PROCESS || !forget_the_dead())) return -ENOSPC;
  }
}

int32_t get_name(uint32_t space, int64_t key, int64_t* value) {
  if (space == CAIRN_NAMES_HOST) {
    *value = key == CAIRN_HOST_NUMBER ? host_note->number : host_note->machine;
    return key == CAIRN_HOST_NUMBER || key == CAIRN_HOST_MACHINE ? 0 : -ENOENT;
  }
  const Entry* entry = find(space, key);
  if (entry == nullptr) return -ENOENT;
  *value = __atomic_load_n(&entry->value, __ATOMIC_ACQUIRE);
  return 0;
}

int32_t remove_name(uint32_t space, int64_t key) {
  Entry* entry = find(space, key);
  if (entry == nullptr) return -ENOENT;
  uint32_t state = live;
  __atomic_compare_exchange_n(&entry->state, &state, removed, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
  return 0;
}

int32_t next_name(uint32_t space, uint32_t* index, int64_t* key, int64_t* value) {
  Part part = part_of(space);
  for (; table != nullptr && *index < part.size; ++*index) {
    const Entry& entry = table[part.start + *index];
    if (__atomic_load_n(&entry.state, __ATOMIC_ACQUIRE) != live || entry.space != space) continue;
    *key = entry.key;
    *value = __atomic_load_n(&entry.value, __ATOMIC_ACQUIRE);
    ++*index;
    return 0;
  }
  return -ENOENT;
}

}  // namespace cairn::events
