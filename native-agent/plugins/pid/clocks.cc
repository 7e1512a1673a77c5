// Owns: the wrappers of clocks that belong to a process or thread. Such a clock's id holds the owner's: the application keeps it
// with the virtual one. libc's functions do the rest (they read the time without a system call where they can). [any]
#include "pid/clocks.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/remaining.h"
#include "pid/cpu_times.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/threads.h"

namespace cairn::pid {

CAIRN_PID_NEXT(clock_gettime);
CAIRN_PID_NEXT(clock_getres);
CAIRN_PID_NEXT(clock_nanosleep);
CAIRN_PID_NEXT(nanosleep);
CAIRN_PID_NEXT(clock_getcpuclockid);
CAIRN_PID_NEXT(pthread_getcpuclockid);

void prepare_clocks() {
  next_clock_gettime.get();
  next_clock_getres.get();
  next_clock_nanosleep.get();
  next_nanosleep.get();
  next_clock_getcpuclockid.get();
  next_pthread_getcpuclockid.get();
}

namespace {

// The kernel's layout: ~id << 3, 4 for a thread's, and 0, 1 or 2 for what is counted; 3 is a descriptor's clock.
constexpr int counted_mask = 3;
constexpr int of_descriptor = 3;
constexpr int of_thread = 4;
constexpr int scheduled_time = 2;

int32_t owner(clockid_t clock) { return ~(clock >> 3); }
bool has_owner(clockid_t clock) { return clock < 0 && (clock & counted_mask) != of_descriptor && owner(clock) != 0; }
clockid_t with_owner(clockid_t clock, int32_t id) {
  return static_cast<clockid_t>(static_cast<uint32_t>(~id) << 3) | (clock & (counted_mask | of_thread));
}

}  // namespace

clockid_t real_clock(clockid_t clock) {
  return has_owner(clock) ? with_owner(clock, to_real(Space::id, owner(clock))) : clock;
}
clockid_t virtual_clock(clockid_t clock) {
  return has_owner(clock) ? with_owner(clock, to_virtual(Space::id, owner(clock))) : clock;
}

extern "C" {

CAIRN_EXPORT int clock_gettime(clockid_t clock, struct timespec* time) noexcept {
  bool of_cpu = clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
  if (!of_cpu || !active()) {
    int result = next_clock_gettime.get()(clock, time);
    if (result == 0) plugin::add_monotonic(clock, time);
    return result;
  }
  int result = stable([=] { return next_clock_gettime.get()(real_clock(clock), time); });
  if (result == 0) add_cpu_time(clock, time);
  return result;
}

CAIRN_EXPORT int clock_getres(clockid_t clock, struct timespec* resolution) noexcept {
  if (clock >= 0 || !active()) return next_clock_getres.get()(clock, resolution);
  return stable([=] { return next_clock_getres.get()(real_clock(clock), resolution); });
}

// A time to sleep lies where a restart can set it right. On i386 libc gives the kernel a copy of it.
#if __SIZEOF_POINTER__ == 8
CAIRN_EXPORT int nanosleep(const struct timespec* request, struct timespec* rest) {
  plugin::Remaining time(request);
  if (time.left() != nullptr) request = reinterpret_cast<const struct timespec*>(time.left());
  return next_nanosleep.get()(request, rest);
}

// libc calls its own nanosleep within these.
CAIRN_EXPORT unsigned sleep(unsigned seconds) {
  int before = errno;
  struct timespec time = {static_cast<time_t>(seconds), 0};
  if (nanosleep(&time, &time) < 0) return static_cast<unsigned>(time.tv_sec);
  errno = before;
  return 0;
}

CAIRN_EXPORT int usleep(useconds_t microseconds) {
  struct timespec time = {static_cast<time_t>(microseconds / 1'000'000), static_cast<long>(microseconds % 1'000'000 * 1000)};
  return nanosleep(&time, nullptr);
}
#endif

CAIRN_EXPORT int clock_nanosleep(clockid_t clock, int flags, const struct timespec* request, struct timespec* rest) {
#if __SIZEOF_POINTER__ == 8
  const struct timespec* whole = (flags & TIMER_ABSTIME) == 0 && clock >= 0 ? request : nullptr;
  plugin::Remaining remaining_time(whole);
  if (remaining_time.left() != nullptr) request = reinterpret_cast<const struct timespec*>(remaining_time.left());
#endif
  plugin::Moment until(clock, (flags & TIMER_ABSTIME) != 0 ? request : nullptr);
  if (until.time() != nullptr) request = until.time();
  if (!active()) return next_clock_nanosleep.get()(clock, flags, request, rest);
  struct timespec moment;
  if (int64_t before = cpu_time_before(clock); before != 0 && (flags & TIMER_ABSTIME) != 0 && request != nullptr) {
    int64_t left = plugin::nanoseconds_of(*request) - before;
    moment = plugin::timespec_of(left > 0 ? left : 0);
    request = &moment;
  }
  return next_clock_nanosleep.get()(real_clock(clock), flags, request, rest);
}

CAIRN_EXPORT int clock_getcpuclockid(pid_t pid, clockid_t* clock) noexcept {
  int result = next_clock_getcpuclockid.get()(real_of(pid), clock);
  if (result == 0 && active()) *clock = virtual_clock(*clock);
  return result;
}

CAIRN_EXPORT int pthread_getcpuclockid(pthread_t thread, clockid_t* clock) noexcept {
  int32_t real;
  if (!is_renamed(thread, &real)) return next_pthread_getcpuclockid.get()(thread, clock);
  int32_t lent = lent_id(thread);
  *clock = with_owner(static_cast<clockid_t>(~0u << 3) | of_thread | scheduled_time, lent != 0 ? lent : *tid_word(thread));
  return 0;
}

}  // extern "C"

}  // namespace cairn::pid
