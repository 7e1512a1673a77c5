// Makes an io_uring instance again. The program has the positions of its queues in its own memory too, and expects the kernel to go on
// from there: the kernel's own counters begin at 0, and are brought to where they were by as many requests that do nothing. That
// takes some 0.1 us each. [restoring] Test: test/probes/events/rings.c
#include <sys/mman.h>

#include "uring/rings.h"

namespace cairn::uring {
namespace {

// Beyond that a restart would take minutes.
constexpr uint32_t most_requests = 1u << 30;

struct Places {
  char* queues;
  char* entries;
};

char* map(int32_t fd, uint64_t offset, uint64_t size) {
  int64_t place = sys(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
  return place < 0 && place > -4096 ? nullptr : reinterpret_cast<char*>(place);
}

void unmap(const Places& places, const Parameters& parameters) {
  if (places.queues != nullptr) sys(SYS_munmap, pointer(places.queues), static_cast<long>(queues_size(parameters)));
  if (places.entries != nullptr) sys(SYS_munmap, pointer(places.entries), static_cast<long>(entries_size(parameters)));
}

/// What does not change what the program sees. One thread alone could submit otherwise: ours, not the program's.
uint32_t flags_now(const SetUp& set_up) {
  uint32_t flags = set_up.parameters.flags;
  uint32_t kept = flags & ~(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_ATTACH_WQ | IORING_SETUP_CLAMP);
  if (set_up.enabled) kept &= ~IORING_SETUP_R_DISABLED;
  if ((flags & IORING_SETUP_DEFER_TASKRUN) != 0 && (flags & IORING_SETUP_TASKRUN_FLAG) != 0) kept |= IORING_SETUP_COOP_TASKRUN;
  return kept | IORING_SETUP_CQSIZE;
}

bool same_layout(const Parameters& one, const Parameters& other) {
  return one.sq_entries == other.sq_entries && one.cq_entries == other.cq_entries && one.sq_off.head == other.sq_off.head &&
         one.sq_off.tail == other.sq_off.tail && (!has_array(one) || one.sq_off.array == other.sq_off.array) &&
         one.sq_off.flags == other.sq_off.flags && one.cq_off.head == other.cq_off.head && one.cq_off.tail == other.cq_off.tail &&
         one.cq_off.cqes == other.cq_off.cqes && one.cq_off.flags == other.cq_off.flags;
}

/// Submits requests that do nothing until the kernel's counters stand where they stood.
long advance(int32_t fd, const Ring& ring, const Parameters& parameters, const Places& places) {
  uint64_t bytes = parameters.sq_entries * entry_size(parameters);
  for (uint64_t i = 0; i < bytes; ++i) places.entries[i] = 0;  // IORING_OP_NOP
  if (has_array(parameters)) {
    for (uint32_t i = 0; i < parameters.sq_entries; ++i) word(places.queues, parameters.sq_off.array + i * 4) = i;
  }
  for (uint32_t done = 0; done != ring.head;) {
    uint32_t left = ring.head - done;
    uint32_t count = left < parameters.sq_entries ? left : parameters.sq_entries;
    __atomic_store_n(&word(places.queues, parameters.sq_off.tail), done + count, __ATOMIC_RELEASE);
    long taken = sys(SYS_io_uring_enter, fd, count, 0, 0);
    if (taken == -EINTR) continue;
    if (taken <= 0) return taken == 0 ? -EIO : taken;
    done += static_cast<uint32_t>(taken);
    uint32_t told = __atomic_load_n(&word(places.queues, parameters.cq_off.tail), __ATOMIC_ACQUIRE);
    __atomic_store_n(&word(places.queues, parameters.cq_off.head), told, __ATOMIC_RELEASE);
  }
  bool there = word(places.queues, parameters.sq_off.head) == ring.head && word(places.queues, parameters.cq_off.tail) == ring.completions;
  return there ? 0 : -EIO;
}

/// What the program has written or not read yet.
void put_back(const Ring& ring, const Parameters& parameters, const Places& places) {
  copy_bytes(places.entries, ring.entries, parameters.sq_entries * entry_size(parameters));
  copy_bytes(places.queues + parameters.cq_off.cqes, ring.queues + parameters.cq_off.cqes, parameters.cq_entries * completion_size(parameters));
  if (has_array(parameters)) copy_bytes(places.queues + parameters.sq_off.array, ring.queues + parameters.sq_off.array, parameters.sq_entries * 4);
  const uint32_t words[] = {parameters.sq_off.tail, parameters.cq_off.head, parameters.cq_off.flags};
  for (uint32_t offset : words) __atomic_store_n(&word(places.queues, offset), word(ring.queues, offset), __ATOMIC_RELEASE);
}

}  // namespace

int32_t make_ring(Ring* ring) {
  if (ring->head > most_requests) return fail(-ENOTSUP, *ring, "more requests have gone through it than a restart can count up to (1073741824)");
  Parameters parameters = {};
  parameters.flags = flags_now(ring->set_up);
  parameters.cq_entries = ring->set_up.parameters.cq_entries;
  int64_t fd = sys(SYS_io_uring_setup, ring->set_up.parameters.sq_entries, pointer(&parameters));
  if (fd < 0) return fail(fd, *ring, fd == -EPERM ? "this system forbids io_uring (/proc/sys/kernel/io_uring_disabled)" : "it cannot be set up again");
  auto made = static_cast<int32_t>(fd);
  int64_t error = 0;
  if (!same_layout(parameters, ring->set_up.parameters)) {
    error = fail(-ENOTSUP, *ring, "this kernel lays out its queues otherwise than the one of the snapshot");
  } else {
    Places places = {map(made, IORING_OFF_SQ_RING, queues_size(parameters)), map(made, IORING_OFF_SQES, entries_size(parameters))};
    if (places.queues == nullptr || places.entries == nullptr) error = fail(-ENOMEM, *ring, "its queues cannot be mapped");
    if (error == 0 && (error = advance(made, *ring, parameters, places)) < 0) error = fail(error, *ring, "it cannot be brought to where it was");
    if (error == 0) put_back(*ring, parameters, places);
    unmap(places, parameters);
  }
  if (error == 0) return made;
  sys(SYS_close, fd);
  return static_cast<int32_t>(error);
}

}  // namespace cairn::uring
