// Keeps fork(2) of the application and the agent's own descriptors apart: a child must not inherit one that the agent has open for
// a moment, and no thread is stopped in the middle of a fork. Application threads pass by pthread_atfork, any number at once; the
// agent alone. Part of the image; a restart begins with it open. Test: test/probes/processes.
#pragma once
#include <stdint.h>

#include "sys/futex.h"

namespace cairn::agent {

class ForkGate {
 public:
  /// The agent's thread: waits for forks in progress, but not for ever.
  void close() {
    for (uint64_t deadline = sys::now_ns() + patience_ns;;) {
      uint32_t forks = sys::load(&word_);
      if ((forks & closed) != 0) return;
      if (forks != 0 && sys::wait_while(&word_, forks, deadline)) continue;
      if (__atomic_compare_exchange_n(&word_, &forks, forks | closed, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
    }
  }
  void open() {
    __atomic_fetch_and(&word_, ~closed, __ATOMIC_ACQ_REL);
    sys::call_unchecked(SYS_futex, &word_, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
  }

  /// [any] Around fork(2), in the thread that forks.
  void enter() {
    for (;;) {
      uint32_t word = sys::load(&word_);
      if ((word & closed) != 0) sys::wait_while(&word_, word, 0);
      else if (__atomic_compare_exchange_n(&word_, &word, word + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
    }
  }
  void leave() {
    __atomic_fetch_sub(&word_, 1, __ATOMIC_ACQ_REL);
    sys::call_unchecked(SYS_futex, &word_, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
  }

  /// In a new process: nobody else is there.
  void reset() { __atomic_store_n(&word_, 0, __ATOMIC_RELEASE); }

 private:
  static constexpr uint32_t closed = 1u << 31;
  static constexpr uint64_t patience_ns = 500'000'000;
  uint32_t word_ = 0;  // futex: forks in progress, and whether the agent has closed it
};

}  // namespace cairn::agent
