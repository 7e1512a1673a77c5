// Typed access to system calls. Everything returns the kernel's own result: -errno on failure, never -1.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "sys/x86_64/syscall.h"
#elif defined(__i386__)
#include "sys/i386/syscall.h"
#else
#error "this processor is not known"
#endif

namespace cairn::sys {

template <typename T>
[[gnu::always_inline]] inline int64_t argument(T* pointer) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(pointer));
}
template <typename T>
[[gnu::always_inline]] inline int64_t argument(T value) {
  return static_cast<int64_t>(value);
}
[[gnu::always_inline]] inline int64_t argument(decltype(nullptr)) { return 0; }

template <typename... Args>
[[nodiscard, gnu::always_inline]] inline int64_t call(long number, Args... args) {
  static_assert(sizeof...(Args) <= 6);
  const int64_t list[6] = {argument(args)...};
  return syscall_wide(number, list[0], list[1], list[2], list[3], list[4], list[5]);
}

/// For calls whose failure changes nothing for the caller (close, munmap of one's own memory, …).
template <typename... Args>
[[gnu::always_inline]] inline void call_unchecked(long number, Args... args) {
  (void)call(number, args...);
}

[[nodiscard]] inline bool failed(int64_t result) { return result < 0 && result >= -4095; }

inline constexpr uint64_t page_size = 4096;
inline constexpr uint64_t page_down(uint64_t value) { return value & ~(page_size - 1); }
inline constexpr uint64_t page_up(uint64_t value) { return (value + page_size - 1) & ~(page_size - 1); }

}  // namespace cairn::sys
