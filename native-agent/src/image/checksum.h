// The checksum of everything in an image: XXH3, 64 bits, seed 0. Callable in every context.
#pragma once
#define XXH_INLINE_ALL
#define XXH_NO_STDLIB
#include <xxhash.h>

namespace cairn::image {

class Checksum {
 public:
  Checksum() { XXH3_64bits_reset(&state_); }
  void add(const void* data, size_t size) { XXH3_64bits_update(&state_, data, size); }
  [[nodiscard]] uint64_t value() const { return XXH3_64bits_digest(&state_); }
  [[nodiscard]] static uint64_t of(const void* data, size_t size) { return XXH3_64bits(data, size); }

 private:
  XXH3_state_t state_;
};

}  // namespace cairn::image
