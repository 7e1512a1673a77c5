#include "restore/objects.h"

#include <sys/ipc.h>
#include <sys/mman.h>

#include "cairn/plugin.h"
#include "sys/file.h"
#include "wire/names_table.h"

namespace cairn::restore {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;

using Entry = wire::NameEntry;

constexpr uint64_t file_size = wire::names_size;
constexpr uint32_t capacity = wire::names_capacity;

/// As plugins/common/handles.h has it.
constexpr uint32_t name_space(const char* text) {
  uint32_t hash = 2166136261u;
  while (*text != 0) hash = (hash ^ static_cast<uint8_t>(*text++)) * 16777619u;
  return CAIRN_NAMES_OTHERS + hash % 1'000'000'000u;
}

/// As plugins/sysv/names.h has them: virtual ids of what the computation has made, and virtual -> real ones, if they differ.
constexpr uint32_t made_segments = name_space("sysv.shm.own"), segment_ids = name_space("sysv.shm.id");
constexpr uint32_t made_semaphores = name_space("sysv.sem.own"), semaphore_ids = name_space("sysv.sem.id");
constexpr uint32_t made_queues = name_space("sysv.msg.own"), queue_ids = name_space("sysv.msg.id");

int64_t real_id(const Entry* table, uint32_t space, int64_t virtual_id) {
  for (uint32_t i = 0; i < capacity; ++i) {
    if (table[i].state == wire::live && table[i].space == space && table[i].key == virtual_id) return table[i].value;
  }
  return virtual_id;
}

}  // namespace

void remove_objects(const char* socket) {
  sys::TextBuffer<160> path;
  path.add(socket);
  sys::Text folder = path.text();
  while (folder.size > 0 && folder.data[folder.size - 1] != '/') --folder.size;
  sys::TextBuffer<160> names;
  names.add(folder).add("names");
  sys::UniqueFd fd = sys::open(names.c_str(), O_RDONLY);
  // One that is cut off cannot be looked at.
  if (!fd.ok() || call(SYS_lseek, fd.get(), 0, SEEK_END) < static_cast<int64_t>(file_size)) return;
  int64_t mapped = call(SYS_mmap, nullptr, file_size, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (failed(mapped)) return;
  const auto* table = reinterpret_cast<const Entry*>(mapped);
  for (uint32_t i = 0; i < capacity; ++i) {
    const Entry& entry = table[i];
    if (entry.state != wire::live) continue;
    if (entry.space == made_segments) call_unchecked(SYS_shmctl, real_id(table, segment_ids, entry.key), IPC_RMID, nullptr);
    else if (entry.space == made_semaphores) call_unchecked(SYS_semctl, real_id(table, semaphore_ids, entry.key), 0, IPC_RMID, nullptr);
    else if (entry.space == made_queues) call_unchecked(SYS_msgctl, real_id(table, queue_ids, entry.key), IPC_RMID, nullptr);
  }
  call_unchecked(SYS_munmap, mapped, file_size);
}

}  // namespace cairn::restore
