// Address ranges: what is taken, and where there is room. Context: restorer.
#pragma once
#include <stdint.h>

#include "sys/context.h"

namespace cairn::restore {

struct Range {
  uint64_t start;
  uint64_t end;
};

inline constexpr uint64_t lowest_address = 0x10000000;
using sys::processor::highest_address;

inline bool overlap(Range a, Range b) { return a.start < b.end && b.start < a.end; }

/// The lowest address with `size` free bytes beside all `taken` ranges (in any order), with a page of distance; 0: none.
inline uint64_t find_gap(const Range* taken, uint32_t count, uint64_t size) {
  uint64_t candidate = lowest_address;
  for (bool moved = true; moved;) {
    moved = false;
    Range wanted = {candidate - 4096, candidate + size + 4096};
    for (uint32_t i = 0; i < count; ++i) {
      if (!overlap(wanted, taken[i])) continue;
      candidate = (taken[i].end + 4096 + 0xfff) & ~uint64_t{0xfff};
      wanted = {candidate - 4096, candidate + size + 4096};
      moved = true;
    }
    if (candidate + size > highest_address) return 0;
  }
  return candidate;
}

}  // namespace cairn::restore
