// Owns: by how much the application's monotonic clocks are ahead of the machine's, which the plugin `clock` decides, and moments on them
// on their way to the kernel. Zero until a restart makes it something else; written only while no thread of the application runs.
// [any] Test: test/probes/clock.test.ts.
#pragma once
#include <stdint.h>
#include <time.h>

#include "cairn/plugin.h"
#include "common/kernel.h"

namespace cairn::plugin {

constexpr int clock_count = 12;

struct MonotonicClocks {
  int64_t ahead[clock_count];  // nanoseconds, by the clock's id
  bool moved;                  // any of them
};
inline MonotonicClocks monotonic = {};

constexpr int64_t nanoseconds_in_second = 1'000'000'000;

inline bool is_monotonic(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME ||
         clock == CLOCK_BOOTTIME_ALARM;
}

inline int64_t ahead(clockid_t clock) {
  return __builtin_expect(monotonic.moved, false) && is_monotonic(clock) ? monotonic.ahead[clock] : 0;
}

inline struct timespec moved_by(const struct timespec& time, int64_t nanoseconds) {
  int64_t sum = nanoseconds_of(time) + nanoseconds;
  return timespec_of(sum < 0 ? 0 : sum);
}

/// The time that the machine's clock has given becomes the application's.
inline void add_monotonic(clockid_t clock, struct timespec* time) {
  if (int64_t difference = ahead(clock); difference != 0) *time = moved_by(*time, difference);
}

/// A moment on a clock that is waited for, as the kernel takes it: a copy on the caller's stack, which a restart may set right while the
/// wait goes on (that is what the mark is for). Other clocks, no time and wrong times go on as they came.
class Moment {
 public:
  Moment(clockid_t clock, const struct timespec* given) : given_(given) {
    if (given == nullptr || !is_monotonic(clock) || given->tv_nsec < 0 || given->tv_nsec >= nanoseconds_in_second || given->tv_sec < 0 ||
        given->tv_sec > INT64_MAX / nanoseconds_in_second / 2) {
      return;
    }
    copy_ = {moved_by(*given, -ahead(clock)), first_mark, static_cast<uint64_t>(clock) ^ second_mark};
    given_ = &copy_.time;
  }
  [[nodiscard]] const struct timespec* time() const { return given_; }

  struct Marked {
    struct timespec time;
    uint64_t first;
    uint64_t second;  // the clock, in disguise
  };
  static constexpr uint64_t first_mark = 0x6361'6972'6e20'6d6fu;
  static constexpr uint64_t second_mark = 0x6d65'6e74'2063'6c6bu;

 private:
  const struct timespec* given_;
  Marked copy_;
};

}  // namespace cairn::plugin
