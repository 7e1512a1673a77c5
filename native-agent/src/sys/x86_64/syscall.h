// System calls on x86-64, without libc: no errno, no cancellation point, no lazy binding.
// Callable in every context, the freestanding restorer included.
#pragma once
#include <stdint.h>
#include <sys/syscall.h>

namespace cairn::sys {

/// The kernel's result: -4095..-1 is -errno, everything else is the value.
[[gnu::always_inline]] inline long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/// Arguments and result of any size.
[[gnu::always_inline]] inline int64_t syscall_wide(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) {
  return syscall6(number, a, b, c, d, e, f);
}

}  // namespace cairn::sys
