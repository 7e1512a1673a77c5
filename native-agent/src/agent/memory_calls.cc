#include "agent/memory_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>

#include "sys/file.h"
#include "sys/maps.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using image::LazyRange;

// Looked up while libc may be used; the addresses are the same after a restart.
uint64_t madvise_entry, mremap_entry;
LazyRange* ranges = nullptr;
uint32_t range_count = 0;
uint64_t pages_inode = 0;
uint32_t locked = 0;
constexpr size_t maps_capacity = 16 << 20;

class Lock {
 public:
  Lock() {
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE) != 0) call_unchecked(SYS_sched_yield);
  }
  ~Lock() { __atomic_store_n(&locked, 0, __ATOMIC_RELEASE); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

bool touches_image(uint64_t start, uint64_t end) {
  for (uint32_t i = 0; i < __atomic_load_n(&range_count, __ATOMIC_ACQUIRE); ++i) {
    if (ranges[i].start < end && start < ranges[i].end) return true;
  }
  return false;
}

/// Replaces one part of a mapping of the image by anonymous memory. keep: with its content.
bool replace(uint64_t start, uint64_t end, uint32_t protection, bool keep) {
  uint64_t size = end - start;
  if (!keep) {
    int64_t mapped = call(SYS_mmap, start, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    return !failed(mapped);
  }
  int64_t copy = call(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(copy)) return false;
  // /proc/thread-self/mem also reads what may not be read.
  sys::UniqueFd memory = sys::open("/proc/thread-self/mem", O_RDONLY);
  bool ok = memory.ok() && sys::read_at(memory.get(), reinterpret_cast<void*>(copy), size, start) == 0 &&
            !failed(call(SYS_mprotect, copy, size, protection)) &&
            !failed(call(SYS_mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, start));
  if (!ok) call_unchecked(SYS_munmap, copy, size);
  return ok;
}

/// Makes [start, end) anonymous wherever it is the image's. The list shrinks only by whole ranges: that costs a look at the
/// maps more, not correctness.
bool make_anonymous(uint64_t start, uint64_t end, bool keep) {
  Lock lock;
  int64_t memory = call(SYS_mmap, nullptr, maps_capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(memory)) return false;
  char* text = reinterpret_cast<char*>(memory);
  long size = sys::read_all("/proc/thread-self/maps", text, maps_capacity);
  bool ok = !failed(size);
  sys::TextReader reader(sys::Text(text, ok ? static_cast<size_t>(size) : 0));
  sys::MapLine line;
  while (ok && sys::next_map_line(&reader, &line)) {
    if (line.inode != pages_inode || line.shared || line.start >= end || line.end <= start) continue;
    ok = replace(line.start > start ? line.start : start, line.end < end ? line.end : end, line.protection, keep);
  }
  call_unchecked(SYS_munmap, memory, maps_capacity);
  for (uint32_t i = 0; ok && i < range_count; ++i) {
    if (ranges[i].start >= start && ranges[i].end <= end) ranges[i].end = ranges[i].start;
  }
  return ok;
}

int finish(long result) {
  if (!failed(result)) return static_cast<int>(result);
  errno = static_cast<int>(-result);
  return -1;
}

int own_madvise(void* address, size_t length, int advice) {
  uint64_t start = reinterpret_cast<uintptr_t>(address);
  uint64_t end = start + sys::page_up(length);
  bool discards = advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_GUARD_INSTALL;
  if (discards && start % sys::page_size == 0 && touches_image(start, end)) {
    if (!make_anonymous(start, end, false)) return finish(-ENOMEM);
  }
  return finish(call(SYS_madvise, address, length, advice));
}

void* own_mremap(void* old_address, size_t old_size, size_t new_size, int flags, void* new_address) {
  uint64_t start = reinterpret_cast<uintptr_t>(old_address);
  uint64_t end = start + sys::page_up(old_size);
  if (start % sys::page_size == 0 && touches_image(start, end) && !make_anonymous(start, end, true)) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  int64_t result = call(SYS_mremap, old_address, old_size, new_size, flags, new_address);
  if (!failed(result)) return reinterpret_cast<void*>(result);
  errno = static_cast<int>(-result);
  return MAP_FAILED;
}

/// A jump at the beginning of a function, unless a thread stands in the bytes that change or the way is too far.
bool redirect(uint64_t entry, uint64_t target, const image::Handoff& handoff) {
  constexpr uint64_t jump_size = 5;
  int64_t distance = static_cast<intptr_t>(target - (entry + jump_size));
  if (entry == 0 || distance != static_cast<int32_t>(distance)) return false;
  for (uint32_t i = 0; i < handoff.thread_count; ++i) {
    uint64_t at = handoff.slots[i].instruction;
    if (at > entry && at < entry + jump_size) return false;
  }
  uint64_t first = sys::page_down(entry), last = sys::page_up(entry + jump_size);
  if (failed(call(SYS_mprotect, first, last - first, PROT_READ | PROT_WRITE | PROT_EXEC))) return false;
  auto* code = reinterpret_cast<unsigned char*>(entry);
  code[0] = 0xe9;
  int32_t relative = static_cast<int32_t>(distance);
  memcpy(code + 1, &relative, sizeof relative);
  call_unchecked(SYS_mprotect, first, last - first, PROT_READ | PROT_EXEC);
  return true;
}

}  // namespace

void install_memory_calls(const image::Handoff& handoff) {
  ranges = handoff.lazy;
  pages_inode = handoff.pages_inode;
  locked = 0;
  __atomic_store_n(&range_count, handoff.lazy_count, __ATOMIC_RELEASE);
  if (handoff.lazy_count == 0) return;
  (void)redirect(madvise_entry, reinterpret_cast<uintptr_t>(own_madvise), handoff);
  (void)redirect(mremap_entry, reinterpret_cast<uintptr_t>(own_mremap), handoff);
}

void find_memory_calls() {
  madvise_entry = reinterpret_cast<uintptr_t>(dlsym(RTLD_NEXT, "madvise"));
  mremap_entry = reinterpret_cast<uintptr_t>(dlsym(RTLD_NEXT, "mremap"));
}

}  // namespace cairn::agent
