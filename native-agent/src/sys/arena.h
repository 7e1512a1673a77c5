// A bump allocator over one mapping that is never part of an image: the agent's own memory.
// Context: whoever owns it at the time; one thread.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::sys {

class Arena {
 public:
  void use(void* start, size_t size, size_t used) {
    start_ = static_cast<char*>(start);
    size_ = size;
    used_ = used;
  }
  /// nullptr when it is full. Not zeroed: the memory may have been used before.
  void* allocate(size_t bytes, size_t alignment = 64) {
    size_t at = (used_ + alignment - 1) & ~(alignment - 1);
    if (at + bytes > size_ || at + bytes < at) return nullptr;
    used_ = at + bytes;
    return start_ + at;
  }
  template <typename T>
  T* array(size_t count) {
    return static_cast<T*>(allocate(count * sizeof(T), alignof(T) > 16 ? alignof(T) : 16));
  }
  [[nodiscard]] size_t used() const { return used_; }
  /// Gives back everything that was allocated since `used()` had this value.
  void rewind(size_t used) { used_ = used; }
  [[nodiscard]] uint64_t start() const { return reinterpret_cast<uintptr_t>(start_); }
  [[nodiscard]] uint64_t end() const { return start() + size_; }

 private:
  char* start_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

}  // namespace cairn::sys
