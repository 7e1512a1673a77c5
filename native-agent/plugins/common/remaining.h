// Owns: what remains of time-outs of calls that are begun anew after a restart, and some after any stop (epoll_wait, sigtimedwait, semtimedop,
// nanosleep): they would wait for the whole time again. Such a call gets its time-out in a slot of this table, where the plugin
// `event` sets it right while the threads are stopped.
// A slot belongs to a thread for life and is never on its stack, since a handler may leave the call by longjmp, and a thread by being
// cancelled; then, and in a handler's nested call, there is none, and the call is made as it came.
// [any] Tests: test/probes/events/timeouts.c, blocking/remaining.c.
#pragma once
#include <stdint.h>
#include <time.h>

#include "cairn/plugin.h"
#include "common/kernel.h"

namespace cairn::plugin {

/// A time as the kernel has it, whatever libc's is.
struct TimeLeft {
  int64_t seconds;
  int64_t nanoseconds;
};

/// Of a call on a socket, which itself has the time-out (limited.h).
struct SocketLimit {
  int32_t fd;
  int32_t option;     // 0: no such call
  uint32_t shortened;  // the socket has what remains, and `whole` is what the application has chosen
  long whole[2];      // as the kernel's struct timeval of this kind of program
};

struct TimeSlot {
  uintptr_t owner;  // thread pointer; 0: nobody's
  uint32_t busy;
  TimeLeft left;
  int64_t deadline;  // CLOCK_MONOTONIC
  SocketLimit limit;
};
constexpr uint32_t time_slot_count = 512;
// Part of the image.
inline TimeSlot time_slots[time_slot_count];

inline int64_t monotonic_now() {
  struct timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return nanoseconds_of(time);
}

inline void set_left(TimeSlot* slot, int64_t left) {
  if (left < 0) left = 0;
  slot->left = {left / 1'000'000'000, left % 1'000'000'000};
}

/// For the time of one call.
class Remaining {
 public:
  /// Negative: no time-out, or none that the kernel would take.
  explicit Remaining(int64_t nanoseconds) : slot_(nanoseconds > 0 ? own_slot() : nullptr) {
    if (slot_ == nullptr) return;
    // In this order: who is stopped in between has a deadline that is right, and what was set by it is overwritten.
    slot_->deadline = monotonic_now() + nanoseconds;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    set_left(slot_, nanoseconds);
  }
  explicit Remaining(const struct timespec* time) : Remaining(whole(time)) {}
  Remaining(const Remaining&) = delete;
  Remaining& operator=(const Remaining&) = delete;
  ~Remaining() {
    if (slot_ != nullptr) __atomic_store_n(&slot_->busy, 0u, __ATOMIC_RELAXED);
  }

  /// NULL: the call is to be made as it came.
  [[nodiscard]] const TimeLeft* left() const { return slot_ == nullptr ? nullptr : &slot_->left; }

 protected:
  [[nodiscard]] TimeSlot* slot() const { return slot_; }

 private:
  static int64_t whole(const struct timespec* time) {
    bool good = time != nullptr && time->tv_nsec >= 0 && time->tv_nsec < 1'000'000'000 && time->tv_sec >= 0 && time->tv_sec < INT32_MAX;
    return good ? nanoseconds_of(*time) : -1;
  }

  /// This thread's slot, or NULL: it is in use by a call that this one interrupted, or there is none.
  static TimeSlot* own_slot() {
    auto self = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
    auto first = static_cast<uint32_t>((uint64_t{self} * 0x9e3779b97f4a7c15u) >> 40) % time_slot_count;
    for (uint32_t step = 0; step < 16; ++step) {
      TimeSlot* slot = &time_slots[(first + step) % time_slot_count];
      uintptr_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);
      if (owner == 0 && __atomic_compare_exchange_n(&slot->owner, &owner, self, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) owner = self;
      if (owner == self) return __atomic_exchange_n(&slot->busy, 1u, __ATOMIC_RELAXED) == 0 ? slot : nullptr;
    }
    return nullptr;
  }

  TimeSlot* slot_;
};

}  // namespace cairn::plugin
