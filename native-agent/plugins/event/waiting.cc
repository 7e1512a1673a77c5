// Owns: epoll_wait(2), epoll_pwait(2) and epoll_pwait2(2), the first two made as the third: their time-out is a number in a register, and the kernel tells
// nobody since when a thread waits; that of epoll_pwait2 is in memory (common/remaining.h). Without epoll_pwait2 (Linux 5.11, glibc 2.35)
// they are made as they came. And what remains of all such time-outs is set right here.
// [any] the wrappers; [quiesced, restoring] the rest. Test: test/probes/events/timeouts.c.
#include <dlfcn.h>
#include <signal.h>
#include <sys/epoll.h>

#include "common/limited.h"
#include "common/remaining.h"
#include "event/events.h"

namespace cairn::event {
namespace {

int64_t noted = 0;

using Wait = int(int, struct epoll_event*, int, int);
using WaitMasked = int(int, struct epoll_event*, int, int, const sigset_t*);
using WaitFor = int(int, struct epoll_event*, int, const plugin::TimeLeft*, const sigset_t*);
#if __SIZEOF_POINTER__ == 8
constexpr const char* epoll_pwait2_name = "epoll_pwait2";
#else
constexpr const char* epoll_pwait2_name = "__epoll_pwait2_time64";  // which gives its argument to the kernel, and no copy of it
#endif
using WaitNarrow = int(int, struct epoll_event*, int, const struct timespec*, const sigset_t*);
Wait* next_wait = nullptr;
WaitNarrow* next_wait_narrow = nullptr;
WaitMasked* next_wait_masked = nullptr;
WaitFor* next_wait_for = nullptr;

constexpr int64_t millisecond = 1'000'000;

}  // namespace

void prepare_waiting() {
  // Also before init, by the constructor of another library.
  next_wait_for = reinterpret_cast<WaitFor*>(dlsym(RTLD_NEXT, epoll_pwait2_name));
  // A program that calls it was linked with a libc that has it.
  __atomic_store_n(&next_wait_narrow, reinterpret_cast<WaitNarrow*>(dlsym(RTLD_NEXT, "epoll_pwait2")), __ATOMIC_RELEASE);
  next_wait_masked = reinterpret_cast<WaitMasked*>(dlsym(RTLD_NEXT, "epoll_pwait"));
  __atomic_store_n(&next_wait, reinterpret_cast<Wait*>(dlsym(RTLD_NEXT, "epoll_wait")), __ATOMIC_RELEASE);
}

void note_time() { noted = plugin::monotonic_now(); }

void set_waits_right(bool restarted) {
  int64_t moment = plugin::monotonic_now();
  for (plugin::TimeSlot& slot : plugin::time_slots) {
    if (slot.busy == 0) continue;
    // The time between checkpoint and restart does not count.
    if (restarted) slot.deadline += moment - noted;
    if (slot.limit.option != 0) plugin::shorten_limit(host, &slot.limit, plugin::Limited::elapsed(slot, moment));
    else plugin::set_left(&slot, slot.deadline - moment);
  }
}

void forget_waits() {
  auto self = reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
  for (plugin::TimeSlot& slot : plugin::time_slots) {
    if (slot.owner != self) slot = {};
  }
}

extern "C" CAIRN_EXPORT int epoll_wait(int instance, struct epoll_event* events, int most, int timeout) {
  if (__builtin_expect(__atomic_load_n(&next_wait, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  plugin::Remaining time(next_wait_for != nullptr ? timeout * millisecond : -1);
  return time.left() != nullptr ? next_wait_for(instance, events, most, time.left(), nullptr) : next_wait(instance, events, most, timeout);
}

extern "C" CAIRN_EXPORT int epoll_pwait(int instance, struct epoll_event* events, int most, int timeout, const sigset_t* mask) {
  if (__builtin_expect(__atomic_load_n(&next_wait, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  plugin::Remaining time(next_wait_for != nullptr ? timeout * millisecond : -1);
  return time.left() != nullptr ? next_wait_for(instance, events, most, time.left(), mask) : next_wait_masked(instance, events, most, timeout, mask);
}

extern "C" CAIRN_EXPORT int epoll_pwait2(int instance, struct epoll_event* events, int most, const struct timespec* timeout, const sigset_t* mask) {
  if (__builtin_expect(__atomic_load_n(&next_wait_narrow, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  plugin::Remaining time(next_wait_for != nullptr ? timeout : nullptr);
  if (time.left() != nullptr) return next_wait_for(instance, events, most, time.left(), mask);
  return next_wait_narrow(instance, events, most, timeout, mask);
}

#if __SIZEOF_POINTER__ == 4
/// Of programs with 64-bit times.
extern "C" CAIRN_EXPORT int __epoll_pwait2_time64(int instance, struct epoll_event* events, int most, const plugin::TimeLeft* timeout, const sigset_t* mask) {
  if (__builtin_expect(__atomic_load_n(&next_wait, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  bool good = timeout != nullptr && timeout->seconds >= 0 && timeout->seconds < INT32_MAX;
  plugin::Remaining time(good ? timeout->seconds * 1'000'000'000 + static_cast<int32_t>(timeout->nanoseconds) : -1);
  return next_wait_for(instance, events, most, time.left() != nullptr ? time.left() : timeout, mask);
}
#endif

}  // namespace cairn::event
