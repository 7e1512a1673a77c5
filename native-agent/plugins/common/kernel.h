// System calls and times for plugins of programs of 64 and of 32 bits. The calls are named as x86-64 has them, and a 64-bit number
// is one argument: on i386 each becomes the call that does the same there, with structures for files of any size (struct stat64,
// rlimit64). Times are struct timespec as libc has it.
// Context: any.
#pragma once
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#include "cairn/plugin.h"

#if defined(__i386__)
#undef SYS_fstat
#define SYS_fstat __NR_fstat64
#define SYS_newfstatat __NR_fstatat64
#undef SYS_fcntl
#define SYS_fcntl __NR_fcntl64
#undef SYS_getuid
#define SYS_getuid __NR_getuid32
#undef SYS_geteuid
#define SYS_geteuid __NR_geteuid32
#undef SYS_getegid
#define SYS_getegid __NR_getegid32
#undef SYS_fchown
#define SYS_fchown __NR_fchown32
#undef SYS_mmap
#define SYS_mmap __NR_mmap2
#undef SYS_lseek
#define SYS_lseek __NR__llseek
#undef SYS_ftruncate
#define SYS_ftruncate __NR_ftruncate64
#endif

namespace cairn::plugin {

/// The kernel's result: -errno on failure; an address is no negative number.
[[gnu::always_inline]] inline int64_t wide_call(const cairn_host* host, long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                                                int64_t f) {
#if defined(__i386__)
  auto low = [](int64_t value) { return static_cast<long>(value); };
  auto high = [](int64_t value) { return static_cast<long>(value >> 32); };
  long result;
  switch (number) {
    case SYS_mmap: result = host->syscall(number, low(a), low(b), low(c), low(d), low(e), static_cast<long>(f >> 12)); break;
    case SYS_pread64:
    case SYS_pwrite64: result = host->syscall(number, low(a), low(b), low(c), low(d), high(d), 0); break;
    case SYS_ftruncate: result = host->syscall(number, low(a), low(b), high(b), 0, 0, 0); break;
    case SYS_fallocate: result = host->syscall(number, low(a), low(b), low(c), high(c), low(d), high(d)); break;
    case SYS_lseek: {
      int64_t position = 0;
      result = host->syscall(number, low(a), high(b), low(b), reinterpret_cast<long>(&position), low(c), 0);
      return result < 0 ? result : position;
    }
    default: result = host->syscall(number, low(a), low(b), low(c), low(d), low(e), low(f));
  }
  return result < 0 && result >= -4095 ? result : static_cast<int64_t>(static_cast<unsigned long>(result));
#else
  return host->syscall(number, a, b, c, d, e, f);
#endif
}

template <typename T>
[[gnu::always_inline]] inline int64_t argument(T value) {
  return static_cast<int64_t>(value);
}
template <typename T>
[[gnu::always_inline]] inline int64_t argument(T* value) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(value));
}

template <typename... Arguments>
[[gnu::always_inline]] inline int64_t call(const cairn_host* host, long number, Arguments... arguments) {
  static_assert(sizeof...(Arguments) <= 6);
  const int64_t list[6] = {argument(arguments)...};
  return wide_call(host, number, list[0], list[1], list[2], list[3], list[4], list[5]);
}

inline struct timespec timespec_of(int64_t nanoseconds) {
  struct timespec time = {};
  time.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  time.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  return time;
}
inline struct timeval timeval_of(int64_t nanoseconds) {
  struct timeval time = {};
  time.tv_sec = static_cast<time_t>(nanoseconds / 1'000'000'000);
  time.tv_usec = static_cast<suseconds_t>(nanoseconds % 1'000'000'000 / 1000);
  return time;
}
inline int64_t nanoseconds_of(const struct timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }
inline int64_t nanoseconds_of(const struct timeval& time) { return int64_t{time.tv_sec} * 1'000'000'000 + int64_t{time.tv_usec} * 1000; }

}  // namespace cairn::plugin
