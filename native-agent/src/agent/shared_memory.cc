#include "agent/shared_memory.h"

#include <errno.h>
#include <sys/mman.h>

#include "agent/agent.h"
#include "checkpoint/guard_regions.h"
#include "checkpoint/memory_flags.h"
#include "events/host.h"
#include "events/names.h"
#include "sys/own_fds.h"
#include "sys/syscall.h"

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Status;

struct SharedFile {
  uint64_t start;
  uint64_t length;
  uint64_t offset;
  uint64_t token;
  uint32_t protection;
  uint32_t layer;  // of the plugin that claimed it
};
struct SharedMemory {
  uint64_t start;
  uint64_t length;
  uint64_t offset;
  uint64_t device;
  uint64_t inode;
  uint32_t protection;
  int32_t fd;      // while restoring: made here; -1: taken from another process
};

// In the image: what the restarted process needs of the checkpoint.
constexpr uint32_t capacity = 1024;
SharedFile files[capacity];
uint32_t file_count = 0;
SharedMemory memories[capacity];
uint32_t memory_count = 0;

// Spaces of the shared names, ours: memory → who has it (real pid and descriptor), and from which page to which it was filled.
constexpr uint32_t holders = 20;
constexpr uint32_t extents = 21;

int64_t key_of(const SharedMemory& memory) { return static_cast<int64_t>(memory.inode ^ (memory.device << 44)); }
int64_t pair(uint64_t high, uint64_t low) { return static_cast<int64_t>((high << 32) | (low & 0xffffffffu)); }

bool fail(long error, const char* what, uint64_t address) {
  events::facts().error->set(static_cast<Status>(error), "shared memory").add(what).add(" at ").hex(address);
  return false;
}

bool alone() {
  uint32_t index = 0, count = 0;
  int64_t key, value;
  while (count < 2 && events::next_name(CAIRN_NAMES_PROCESS, &index, &key, &value) == 0) {
    if (call(SYS_kill, value, 0) != -ESRCH) ++count;  // one that was killed leaves its name behind
  }
  return count < 2;
}

/// Memory that nobody else has is mapped by the restorer already, but for what this process has at several places.
bool made_again(uint32_t index, bool is_alone) {
  if (!is_alone) return true;
  for (uint32_t i = 0; i < memory_count; ++i) {
    if (i != index && memories[i].inode == memories[index].inode && memories[i].device == memories[index].device) return true;
  }
  return false;
}

bool write_content(const SharedMemory& memory, int fd) {
  for (uint64_t done = 0; done < memory.length;) {
    long count = call(SYS_pwrite64, fd, memory.start + done, memory.length - done, memory.offset + done);
    if (count == -EINTR) continue;
    if (count == -EFAULT) return true;  // what the application has made inaccessible stays as it is, zero
    if (failed(count)) return fail(count, "cannot fill the memory that processes share", memory.start);
    done += static_cast<uint64_t>(count);
  }
  return true;
}

bool grow(const SharedMemory& memory, int fd) {
  int64_t size = call(SYS_lseek, fd, 0, SEEK_END);
  if (failed(size) || static_cast<uint64_t>(size) >= memory.offset + memory.length) return !failed(size);
  return !failed(call(SYS_ftruncate, fd, memory.offset + memory.length));
}

/// Several mappings of one memory, here or elsewhere: the first to come makes it.
bool make(SharedMemory* memory) {
  int64_t holder = 0;
  memory->fd = -1;
  if (events::claim_name(holders, key_of(*memory), 0, &holder) != 0) return true;
  long fd = call(SYS_memfd_create, "cairn-shared", 1 /* MFD_CLOEXEC */);
  if (failed(fd)) return fail(fd, "cannot make memory that processes share", memory->start);
  memory->fd = sys::hide_fd(static_cast<int>(fd));
  if (!grow(*memory, memory->fd) || !write_content(*memory, memory->fd)) return false;
  events::set_name(extents, key_of(*memory), pair(memory->offset / sys::page_size, (memory->offset + memory->length) / sys::page_size));
  events::set_name(holders, key_of(*memory), pair(static_cast<uint64_t>(events::facts().real_pid), static_cast<uint64_t>(memory->fd)));
  return true;
}

int take(const SharedMemory& memory) {
  int64_t holder = 0;
  if (events::get_name(holders, key_of(memory), &holder) != 0) return -ENOENT;
  long process = call(SYS_pidfd_open, holder >> 32, 0);
  if (failed(process)) return static_cast<int>(process);
  long fd = call(SYS_pidfd_getfd, process, holder & 0xffffffff, 0);
  call_unchecked(SYS_close, process);
  return static_cast<int>(fd);
}

bool filled(const SharedMemory& memory) {
  int64_t extent = 0;
  if (events::get_name(extents, key_of(memory), &extent) != 0) return false;
  uint64_t from = static_cast<uint64_t>(extent) >> 32, to = static_cast<uint64_t>(extent) & 0xffffffffu;
  return from * sys::page_size <= memory.offset && memory.offset + memory.length <= to * sys::page_size;
}

bool map_again(const SharedMemory& memory) {
  int fd = memory.fd >= 0 ? memory.fd : take(memory);
  if (fd < 0) return fail(fd, "cannot get the memory that processes share from the one that made it", memory.start);
  bool ok = memory.fd >= 0 || filled(memory) || (grow(memory, fd) && write_content(memory, fd));
  int64_t result = !ok ? 0 : call(SYS_mmap, memory.start, memory.length, memory.protection, MAP_SHARED | MAP_FIXED, fd, memory.offset);
  if (memory.fd < 0) call_unchecked(SYS_close, fd);
  return ok && (!failed(result) || fail(result, "cannot map the memory that processes share", memory.start));
}

bool map_file(const SharedFile& shared) {
  cairn_mapping mapping = {};
  mapping.size = sizeof mapping;
  mapping.fd = -1;
  mapping.start = shared.start;
  mapping.length = shared.length;
  mapping.offset = shared.offset;
  mapping.protection = shared.protection;
  mapping.token = shared.token;
  mapping.path = "";
  if (!events::restore_mapping(shared.layer, &mapping)) return false;
  if (mapping.fd == -1) return true;  // the plugin has mapped it
  int64_t result = call(SYS_mmap, shared.start, shared.length, shared.protection, MAP_SHARED | MAP_FIXED, mapping.fd, shared.offset);
  if (mapping.close_fd != 0) call_unchecked(SYS_close, mapping.fd);
  return !failed(result) || fail(result, "cannot map a shared file again", shared.start);
}

int32_t barrier(const char* name, uint32_t) {
  bool ok = true, is_alone = name[0] != 'r' && alone();
  switch (name[0]) {
    case 'h':  // "hand out"
      for (uint32_t i = 0; ok && i < memory_count; ++i) ok = !made_again(i, is_alone) || make(&memories[i]);
      break;
    case 'm':  // "map"
      for (uint32_t i = 0; ok && i < file_count; ++i) ok = map_file(files[i]);
      for (uint32_t i = 0; ok && i < memory_count; ++i) ok = !made_again(i, is_alone) || map_again(memories[i]);
      break;
    default:  // "release"
      for (uint32_t i = 0; i < memory_count; ++i) {
        if (memories[i].fd >= 0) sys::close_own_fd(memories[i].fd);
        memories[i].fd = -1;
      }
      // Before memory is locked, in which the kernel makes none.
      checkpoint::restore_guard_regions(log);
      checkpoint::restore_memory_flags(log);
  }
  return ok ? 0 : events::facts().error->number();
}

const char* const restart_barriers[] = {"hand out", "map", "release", nullptr};

}  // namespace

void forget_shared_mappings() { file_count = memory_count = 0; }

namespace {
cairn_mapping offer_of(const checkpoint::Mapping& mapping, const char* path) {
  cairn_mapping offer = {};
  offer.size = sizeof offer;
  offer.fd = -1;
  offer.start = mapping.start;
  offer.length = mapping.end - mapping.start;
  offer.offset = mapping.offset;
  offer.protection = mapping.protection;
  offer.device = mapping.device;
  offer.inode = mapping.inode;
  offer.path = path;
  return offer;
}
}  // namespace

bool content_goes_along(const checkpoint::Mapping& mapping) {
  sys::TextBuffer<4200> path;
  path.add(mapping.path);
  return events::offers_content(offer_of(mapping, path.c_str()));
}

bool claim_shared_file(const checkpoint::Mapping& mapping, uint64_t device, uint64_t inode) {
  if (file_count == capacity) return false;
  sys::TextBuffer<4200> path;
  path.add(mapping.path);
  cairn_mapping offer = offer_of(mapping, path.c_str());
  offer.device = device;
  offer.inode = inode;
  int32_t layer = events::claim_mapping(&offer);
  if (layer < 0) return false;
  files[file_count++] = {mapping.start, offer.length, mapping.offset, offer.token, mapping.protection, static_cast<uint32_t>(layer)};
  return true;
}

bool note_shared_memory(const checkpoint::MemoryMap& map, sys::Error* error) {
  memory_count = 0;
  for (uint32_t i = 0; i < map.mapping_count; ++i) {
    const checkpoint::Mapping& mapping = map.mappings[i];
    if (mapping.kind != cairn_image_MappingKind_MAPPING_SHARED) continue;
    if (memory_count == capacity) {
      error->set(-E2BIG, "memory map").add("more than ").number(capacity).add(" mappings of shared memory");
      return false;
    }
    memories[memory_count++] = {mapping.start, mapping.end - mapping.start, mapping.offset, mapping.device, mapping.inode, mapping.protection, -1};
  }
  return true;
}

}  // namespace cairn::agent

extern "C" const struct cairn_plugin cairn_plugin_memory = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "memory", "1.0", "Cairn", nullptr, nullptr, nullptr,
    nullptr, cairn::agent::restart_barriers, cairn::agent::barrier,
};
