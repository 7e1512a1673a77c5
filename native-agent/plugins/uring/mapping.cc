// Maps the queues of an instance where they were. Kernels from Linux 6.5 on let nobody choose the place of such a mapping, nor move it
// there: they take the highest gap that there is. So for the moment of the call every other gap is filled with mappings of nothing.
// [restoring] Nothing of it stays. Test: test/probes/events/rings.c
#include <sys/mman.h>

#include "common/lines.h"
#include "uring/rings.h"

namespace cairn::uring {
namespace {

constexpr uint64_t highest = sizeof(void*) == 8 ? 0x7ffffffff000 : 0xffffe000;  // what a process can have, without asking for more
constexpr uint64_t usual_lowest = 65536;

struct Gap {
  uint64_t start;
  uint64_t end;
};
constexpr uint32_t capacity = 1u << 17;

bool failed(int64_t result) { return result < 0 && result > -4096; }

uint64_t lowest() {
  char text[32];
  int64_t value = 0;
  const char* at = text;
  if (plugin::read_file(host, "/proc/sys/vm/mmap_min_addr", text, sizeof text) <= 0 || !plugin::read_number(&at, 10, &value)) return usual_lowest;
  return value > 4096 ? static_cast<uint64_t>(value) : 4096;
}

/// The gaps of the address space as it is; the number, or -errno.
int32_t find_gaps(Gap* gaps) {
  plugin::Lines lines(host, "/proc/thread-self/maps");
  if (lines.error() != 0) return lines.error();
  uint64_t at = lowest();
  int32_t count = 0;
  for (;;) {
    const char* line = lines.next();
    int64_t start = static_cast<int64_t>(highest), end = start;
    if (line != nullptr && (!plugin::read_number(&line, 16, &start) || *line++ != '-' || !plugin::read_number(&line, 16, &end))) return -EPROTO;
    // Of the kernel's own, above all others, the number is negative.
    bool last = line == nullptr || start < 0 || static_cast<uint64_t>(start) >= highest;
    uint64_t until = last ? highest : static_cast<uint64_t>(start);
    if (until > at) {
      if (count == static_cast<int32_t>(capacity)) return -E2BIG;
      gaps[count++] = {at, until};
    }
    if (last) return count;
    if (static_cast<uint64_t>(end) > at) at = static_cast<uint64_t>(end);
  }
}

int64_t map_in_last_gap(const cairn_mapping& mapping, int32_t fd, Gap* gaps, int32_t count) {
  constexpr long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  auto start = mapping.start, length = mapping.length;
  for (int32_t i = 0; i < count; ++i) {
    uint64_t size = gaps[i].end - gaps[i].start;
    // One that cannot be filled is none for the kernel either, or the result shows it.
    if (failed(sys(SYS_mmap, gaps[i].start, size, PROT_NONE, flags, -1, 0))) gaps[i].end = gaps[i].start;
  }
  sys(SYS_munmap, start, length);
  int64_t place = sys(SYS_mmap, 0, length, mapping.protection, MAP_SHARED, fd, mapping.offset);
  for (int32_t i = 0; i < count; ++i) {
    if (gaps[i].end > gaps[i].start) sys(SYS_munmap, gaps[i].start, gaps[i].end - gaps[i].start);
  }
  if (failed(place) || place == static_cast<int64_t>(start)) return failed(place) ? place : 0;
  sys(SYS_munmap, place, length);
  return -EADDRNOTAVAIL;
}

}  // namespace

int64_t map_there(const cairn_mapping& mapping, int32_t fd) {
  int64_t direct = sys(SYS_mmap, mapping.start, mapping.length, mapping.protection,
                       MAP_SHARED | MAP_FIXED, fd, mapping.offset);
  if (direct != -EINVAL) return failed(direct) ? direct : 0;
  constexpr long bytes = capacity * sizeof(Gap);
  int64_t memory = sys(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(memory)) return memory;
  auto* gaps = reinterpret_cast<Gap*>(memory);
  int64_t result = find_gaps(gaps);
  if (result >= 0) result = map_in_last_gap(mapping, fd, gaps, static_cast<int32_t>(result));
  sys(SYS_munmap, memory, bytes);
  return result;
}

}  // namespace cairn::uring
