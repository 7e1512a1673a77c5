// Maps the queues of an instance where they were. Kernels from Linux 6.5 on let nobody choose the place of such a mapping, nor move it
// there: they take the highest gap that there is. So for the moment of the call every other gap is filled with mappings of nothing.
// [restoring] Nothing of it stays. Test: test/probes/events/rings.c
#include <sys/mman.h>

#include "common/lines.h"
#include "uring/rings.h"

namespace cairn::uring {
namespace {

constexpr uint64_t highest = 0x7ffffffff000;  // what a process can have, without asking for more
constexpr uint64_t usual_lowest = 65536;

struct Gap {
  uint64_t start;
  uint64_t end;
};
constexpr uint32_t capacity = 1u << 17;

bool failed(long result) { return result < 0 && result > -4096; }

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

long map_in_last_gap(const cairn_mapping& mapping, int32_t fd, Gap* gaps, int32_t count) {
  constexpr long flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE;
  auto start = static_cast<long>(mapping.start), length = static_cast<long>(mapping.length);
  for (int32_t i = 0; i < count; ++i) {
    auto size = static_cast<long>(gaps[i].end - gaps[i].start);
    // One that cannot be filled is none for the kernel either, or the result shows it.
    if (failed(sys(SYS_mmap, static_cast<long>(gaps[i].start), size, PROT_NONE, flags, -1, 0))) gaps[i].end = gaps[i].start;
  }
  sys(SYS_munmap, start, length);
  long place = sys(SYS_mmap, 0, length, static_cast<long>(mapping.protection), MAP_SHARED, fd, static_cast<long>(mapping.offset));
  for (int32_t i = 0; i < count; ++i) {
    if (gaps[i].end > gaps[i].start) sys(SYS_munmap, static_cast<long>(gaps[i].start), static_cast<long>(gaps[i].end - gaps[i].start));
  }
  if (failed(place) || place == start) return failed(place) ? place : 0;
  sys(SYS_munmap, place, length);
  return -EADDRNOTAVAIL;
}

}  // namespace

long map_there(const cairn_mapping& mapping, int32_t fd) {
  long direct = sys(SYS_mmap, static_cast<long>(mapping.start), static_cast<long>(mapping.length), static_cast<long>(mapping.protection),
                    MAP_SHARED | MAP_FIXED, fd, static_cast<long>(mapping.offset));
  if (direct != -EINVAL) return failed(direct) ? direct : 0;
  constexpr long bytes = capacity * sizeof(Gap);
  long memory = sys(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (failed(memory)) return memory;
  auto* gaps = reinterpret_cast<Gap*>(memory);
  long result = find_gaps(gaps);
  if (result >= 0) result = map_in_last_gap(mapping, fd, gaps, static_cast<int32_t>(result));
  sys(SYS_munmap, memory, bytes);
  return result;
}

}  // namespace cairn::uring
