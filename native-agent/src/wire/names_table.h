// The file of names that all processes of a host map (events/names.h), as debug-adapter/src/platform/runtime.ts makes it: zeros. Programs of 32
// and of 64 bits share it: the layout is the same for both.
#pragma once
#include <stdint.h>

namespace cairn::wire {

enum NameState : uint32_t { unused, being_written, live, removed };

struct NameEntry {
  uint32_t state;
  uint32_t space;
  alignas(8) int64_t key;
  alignas(8) int64_t value;
};
static_assert(sizeof(NameEntry) == 24);

constexpr uint64_t names_size = 1 << 20;
constexpr uint32_t names_capacity = names_size / sizeof(NameEntry);

}  // namespace cairn::wire
