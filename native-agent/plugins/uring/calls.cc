// What the application asks of io_uring by syscall(2): libc has no functions of its own for it. The kernel does not tell later with
// what an instance was set up, nor most of what was registered with it; so both are noted here, by the instance's inode.
// [any] Lock-free; entries are claimed by their inode. What was set up by a system call of the program's own is not known, and a
// checkpoint then refuses it. Test: test/probes/events/rings.c
#include "uring/rings.h"

namespace cairn::uring {
namespace {

constexpr uint32_t capacity = 1024;
SetUp set_ups[capacity];

// Of register operations, which headers know in part.
enum Operation : uint32_t {
  add_buffers = 0, remove_buffers = 1, add_files = 2, remove_files = 3, add_events = 4, remove_events = 5, update_files = 6,
  add_events_async = 7, probe = 8, add_personality = 9, remove_personality = 10, enable = 12, add_files2 = 13, update_files2 = 14,
  add_buffers2 = 15, update_buffers = 16, set_workers = 19, add_numbers = 20, remove_numbers = 21, add_buffer_ring = 22,
  remove_buffer_ring = 23, cancel = 24, buffer_ring_status = 26, query = 35
};

uint64_t inode_of(int32_t fd) {
  struct stat64 status;
  return sys(SYS_fstat, fd, pointer(&status)) == 0 ? status.st_ino : 0;
}

/// Instances that are gone leave their entry until there is no free one; inodes' numbers are not given twice.
SetUp* claim(uint64_t inode) {
  static uint32_t oldest = 0;
  for (SetUp& one : set_ups) {
    uint64_t none = 0;
    if (__atomic_compare_exchange_n(&one.inode, &none, inode, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return &one;
  }
  SetUp* one = &set_ups[__atomic_fetch_add(&oldest, 1, __ATOMIC_RELAXED) % capacity];
  __atomic_store_n(&one->inode, inode, __ATOMIC_RELEASE);
  return one;
}

SetUp* find(uint64_t inode) {
  for (SetUp& one : set_ups) {
    if (inode != 0 && __atomic_load_n(&one.inode, __ATOMIC_ACQUIRE) == inode) return &one;
  }
  return nullptr;
}

int64_t set_up(uint32_t entries, void* parameters) {
  int64_t fd = sys(SYS_io_uring_setup, entries, pointer(parameters));
  if (fd < 0) return fd;
  uint64_t inode = inode_of(static_cast<int32_t>(fd));
  if (inode == 0) return fd;
  SetUp* one = claim(inode);
  one->entries = entries;
  one->parameters = *static_cast<const Parameters*>(parameters);
  one->events = -1;
  one->events_async = one->enabled = false;
  one->kept = 0;
  one->lasting = nullptr;
  return fd;
}

void note(SetUp* one, uint32_t operation, const void* argument, int64_t result) {
  switch (operation) {
    case add_events:
    case add_events_async:
      one->events = *static_cast<const int32_t*>(argument);
      one->events_async = operation == add_events_async;
      break;
    case remove_events: one->events = -1; break;
    case enable: one->enabled = true; break;
    case add_personality:
    case add_buffer_ring: __atomic_fetch_add(&one->kept, 1, __ATOMIC_ACQ_REL); break;
    case remove_personality:
    case remove_buffer_ring: __atomic_fetch_sub(&one->kept, 1, __ATOMIC_ACQ_REL); break;
    case add_numbers: __atomic_fetch_add(&one->kept, static_cast<int32_t>(result), __ATOMIC_ACQ_REL); break;
    case remove_numbers: __atomic_fetch_sub(&one->kept, static_cast<int32_t>(result), __ATOMIC_ACQ_REL); break;
    // Of those the kernel tells (UserFiles, UserBufs), or nothing stays.
    case add_buffers: case remove_buffers: case add_files: case remove_files: case update_files: case probe: case add_files2:
    case update_files2: case add_buffers2: case update_buffers: case set_workers: case cancel: case buffer_ring_status: case query: break;
    default: one->lasting = "something was registered with it that Cairn does not know";
  }
}

int64_t change(int32_t fd, uint32_t operation, void* argument, uint32_t count) {
  int64_t result = sys(SYS_io_uring_register, fd, operation, pointer(argument), count);
  constexpr uint32_t by_registered_number = 1u << 31;
  if (result < 0 || (operation & by_registered_number) != 0) return result;
  if (SetUp* one = find(inode_of(fd))) note(one, operation, argument, result);
  return result;
}

}  // namespace

const cairn_rings functions = {sizeof(cairn_rings), 0, set_up, change};

bool find_set_up(uint64_t inode, SetUp* found) {
  SetUp* one = find(inode);
  if (one == nullptr) return false;
  *found = *one;
  return true;
}

void note_again(int32_t fd, const SetUp& set_up) {
  uint64_t inode = inode_of(fd);
  if (inode == 0 || find(inode) != nullptr) return;
  SetUp* one = claim(inode);
  *one = set_up;
  one->inode = inode;
}

void forget_set_ups() {
  for (SetUp& one : set_ups) one = {};
}

}  // namespace cairn::uring
