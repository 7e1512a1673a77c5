// Owns: the functions that a 32-bit program calls in place of others when it was compiled for times of 64 bits: what clocks.cc,
// cpu_times.cc, wait.cc and scheduling.cc do for the others. Nothing elsewhere. [any]
// Test: test/probes/i386/wide_times.c.
#if __SIZEOF_POINTER__ == 4
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/monotonic.h"
#include "pid/clocks.h"
#include "pid/cpu_times.h"
#include "common/remaining.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/waits.h"

namespace cairn::pid {

namespace {

struct WideTime {
  int64_t seconds;
  int32_t nanoseconds;
  int32_t padding;
};
struct WideUsage {
  int64_t user_seconds, user_microseconds, system_seconds, system_microseconds;
  long others[14];
};

Next<int(clockid_t, WideTime*)> next_gettime{"__clock_gettime64", nullptr};
Next<int(clockid_t, WideTime*)> next_getres{"__clock_getres64", nullptr};
Next<int(clockid_t, int, const WideTime*, WideTime*)> next_nanosleep{"__clock_nanosleep_time64", nullptr};
Next<int(int, WideUsage*)> next_usage{"__getrusage64", nullptr};
Next<int(const sigset_t*, siginfo_t*, const void*)> next_sigtimedwait{"__sigtimedwait64", nullptr};
Next<pid_t(int*, int, void*)> next_wait3{"__wait3_time64", nullptr};
Next<pid_t(pid_t, int*, int, void*)> next_wait4{"__wait4_time64", nullptr};

constexpr int64_t second = 1'000'000'000;

WideTime wide(int64_t nanoseconds) { return {nanoseconds / second, static_cast<int32_t>(nanoseconds % second), 0}; }

}  // namespace

extern "C" CAIRN_EXPORT int __sigtimedwait64(const sigset_t* set, siginfo_t* info, const void* timeout);

void prepare_time64() {
  next_gettime.get();
  next_getres.get();
  next_nanosleep.get();
  next_usage.get();
  next_sigtimedwait.get();
  next_wait3.get();
  next_wait4.get();
}

int sigtimedwait_wide(const sigset_t* set, siginfo_t* info, const struct timespec* timeout) {
  if (timeout == nullptr) return __sigtimedwait64(set, info, nullptr);
  WideTime time = {timeout->tv_sec, static_cast<int32_t>(timeout->tv_nsec), 0};
  return __sigtimedwait64(set, info, &time);
}

extern "C" {

CAIRN_EXPORT int __clock_gettime64(clockid_t clock, WideTime* time) {
  bool of_cpu = clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
  if (!of_cpu || !active()) {
    int result = next_gettime.get()(clock, time);
    if (int64_t ahead = plugin::ahead(clock); result == 0 && ahead != 0) *time = wide(time->seconds * second + time->nanoseconds + ahead);
    return result;
  }
  int result = stable([=] { return next_gettime.get()(real_clock(clock), time); });
  if (result == 0) *time = wide(time->seconds * second + time->nanoseconds + cpu_time_before(clock));
  return result;
}

CAIRN_EXPORT int __clock_getres64(clockid_t clock, WideTime* resolution) {
  if (clock >= 0 || !active()) return next_getres.get()(clock, resolution);
  return stable([=] { return next_getres.get()(real_clock(clock), resolution); });
}

CAIRN_EXPORT int __clock_nanosleep_time64(clockid_t clock, int flags, const WideTime* request, WideTime* rest) {
  WideTime moment;
  int64_t before = active() ? cpu_time_before(clock) : 0;
  if (before == 0) before = plugin::ahead(clock);
  if (before != 0 && (flags & TIMER_ABSTIME) != 0 && request != nullptr) {
    int64_t left = request->seconds * second + request->nanoseconds - before;
    moment = wide(left > 0 ? left : 0);
    request = &moment;
  }
  return next_nanosleep.get()(real_clock(clock), flags, request, rest);
}

CAIRN_EXPORT int __getrusage64(int who, WideUsage* usage) {
  int result = next_usage.get()(who, usage);
  if (result != 0 || !active()) return result;
  struct rusage now = {}, more = {};
  if (raw(SYS_getrusage, who, pointer(&now)) < 0) return result;
  more = now;
  add_usage(who, &more);
  usage->user_seconds += more.ru_utime.tv_sec - now.ru_utime.tv_sec;
  usage->user_microseconds += more.ru_utime.tv_usec - now.ru_utime.tv_usec;
  usage->system_seconds += more.ru_stime.tv_sec - now.ru_stime.tv_sec;
  usage->system_microseconds += more.ru_stime.tv_usec - now.ru_stime.tv_usec;
  auto normalize = [](int64_t* seconds, int64_t* microseconds) {
    int64_t carry = *microseconds < 0 ? -1 : *microseconds / 1'000'000;
    *seconds += carry;
    *microseconds -= carry * 1'000'000;
  };
  normalize(&usage->user_seconds, &usage->user_microseconds);
  normalize(&usage->system_seconds, &usage->system_microseconds);
  return result;
}

CAIRN_EXPORT pid_t __wait4_time64(pid_t pid, int* status, int options, void* usage) {
  uint32_t before;
  pid_t real;
  do {
    before = generation();
    real = next_wait4.get()(pid > 0 ? real_child(pid) : real_target(pid), status, options, usage);
  } while (pid <= 0 && is_cairns(real));
  if (real <= 0 || !active()) return real;
  return pid > 0 ? pid : generation() == before ? to_virtual(Space::id, real, true) : child_name(real, before);
}

CAIRN_EXPORT pid_t __wait3_time64(int* status, int options, void* usage) { return __wait4_time64(-1, status, options, usage); }

CAIRN_EXPORT int __sigtimedwait64(const sigset_t* set, siginfo_t* info, const void* timeout) {
  auto given = static_cast<const WideTime*>(timeout);
  bool narrow = given != nullptr && given->seconds >= 0 && given->seconds < INT32_MAX && given->nanoseconds >= 0 && given->nanoseconds < second;
  plugin::Remaining time(narrow ? given->seconds * second + given->nanoseconds : -1);
  int signal = next_sigtimedwait.get()(set, info, time.left() != nullptr ? time.left() : timeout);
  return with_sender(signal, info);
}

CAIRN_EXPORT int __sched_rr_get_interval64(pid_t pid, WideTime* interval) {
  struct timespec narrow = {};
  long result = with_errno(stable([&] { return raw(SYS_sched_rr_get_interval, real_of(pid), pointer(&narrow)); }));
  if (result == 0) *interval = wide(plugin::nanoseconds_of(narrow));
  return static_cast<int>(result);
}

}  // extern "C"

}  // namespace cairn::pid
#else
namespace cairn::pid {
void prepare_time64() {}
}  // namespace cairn::pid
#endif
