// Waiting for a word in memory to change, within a process or between a process and its tracer (same memory).
#pragma once
#include <errno.h>
#include <linux/futex.h>
#include <stdint.h>
#include <time.h>

#include "sys/syscall.h"

namespace cairn::sys {

inline uint64_t now_ns(int clock = CLOCK_MONOTONIC) {
  struct timespec time = {};
  call_unchecked(SYS_clock_gettime, clock, &time);
  return static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);
}

inline uint32_t load(const uint32_t* word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

/// Stores and wakes everybody who waits. Shared futexes: the tracer is another process on the same memory.
inline void store_and_wake(uint32_t* word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
  call_unchecked(SYS_futex, word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

/// Waits while *word == value, until the deadline (CLOCK_MONOTONIC, ns; 0 = for ever). False: the deadline passed.
inline bool wait_while(const uint32_t* word, uint32_t value, uint64_t deadline_ns) {
  while (load(word) == value) {
    struct timespec left = {};
    if (deadline_ns != 0) {
      uint64_t now = now_ns();
      if (now >= deadline_ns) return false;
      left.tv_sec = static_cast<time_t>((deadline_ns - now) / 1000000000u);
      left.tv_nsec = static_cast<long>((deadline_ns - now) % 1000000000u);
    }
    call_unchecked(SYS_futex, word, FUTEX_WAIT, value, deadline_ns ? &left : nullptr, nullptr, 0);
  }
  return true;
}

}  // namespace cairn::sys
