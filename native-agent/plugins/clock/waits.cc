// Owns: the wrappers of functions that wait until a moment on a clock, where nobody else has wrapped them (the others: pid/clocks.cc,
// pid/mutexes.cc, pid/syscall.cc), and of those that set a timer to one. A timer's clock is what the kernel says. [any]
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/timerfd.h>
#include <time.h>

#include "clock/clock.h"
#include "common/lines.h"
#include "common/monotonic.h"
#include "common/text.h"

namespace cairn::clock {
namespace {

using plugin::Moment;

/// "label: 5"
bool number_behind(const char* line, const char* label, int64_t* value) {
  const char* rest;
  if (!plugin::begins(line, label, &rest)) return false;
  while (*rest == ' ' || *rest == '\t') ++rest;
  return plugin::read_number(&rest, 10, value);
}

/// libc's function; found when it is first called.
template <typename Function>
struct Next;
template <typename Result, typename... Arguments>
struct Next<Result(Arguments...)> {
  const char* name;
  Result (*function)(Arguments...) = nullptr;
  Result operator()(Arguments... arguments) {
    auto found = __atomic_load_n(&function, __ATOMIC_RELAXED);
    if (__builtin_expect(found == nullptr, 0)) {
      found = reinterpret_cast<Result (*)(Arguments...)>(dlsym(RTLD_NEXT, name));
      __atomic_store_n(&function, found, __ATOMIC_RELAXED);
    }
    return found(arguments...);
  }
};

Next<int(sem_t*, clockid_t, const struct timespec*)> next_sem_clockwait{"sem_clockwait"};
Next<int(pthread_rwlock_t*, clockid_t, const struct timespec*)> next_clockrdlock{"pthread_rwlock_clockrdlock"};
Next<int(pthread_rwlock_t*, clockid_t, const struct timespec*)> next_clockwrlock{"pthread_rwlock_clockwrlock"};
Next<int(pthread_t, void**, clockid_t, const struct timespec*)> next_clockjoin{"pthread_clockjoin_np"};
Next<int(timer_t, int, const struct itimerspec*, struct itimerspec*)> next_timer_settime{"timer_settime"};
Next<int(int, int, const struct itimerspec*, struct itimerspec*)> next_timerfd_settime{"timerfd_settime"};

clockid_t clock_of_descriptor(int fd) {
  plugin::Text<64> path;
  path.add("/proc/thread-self/fdinfo/").add(int64_t{fd});
  plugin::Lines lines(host, path.text());
  while (const char* line = lines.next()) {
    int64_t clock;
    if (number_behind(line, "clockid:", &clock)) return static_cast<clockid_t>(clock);
  }
  return -1;
}

/// The kernel's id: libc hides it in its own record for timers that call a function.
int kernel_id(timer_t timer) {
  auto value = reinterpret_cast<intptr_t>(timer);
  return value < 0 ? *reinterpret_cast<const int*>(static_cast<uintptr_t>(value) << 1) : static_cast<int>(value);
}

clockid_t clock_of_timer(timer_t timer) {
  int id = kernel_id(timer);
  bool found = false;
  plugin::Lines lines(host, "/proc/self/timers");
  while (const char* line = lines.next()) {
    int64_t number;
    if (number_behind(line, "ID:", &number)) found = number == id;
    if (found && number_behind(line, "ClockID:", &number)) return static_cast<clockid_t>(number);
  }
  return -1;
}

/// `value` with its first expiry on the machine's clock.
const struct itimerspec* on_machine(clockid_t clock, const struct itimerspec* value, struct itimerspec* copy) {
  if (clock < 0 || plugin::ahead(clock) == 0 || (value->it_value.tv_sec == 0 && value->it_value.tv_nsec == 0)) return value;
  *copy = {value->it_interval, plugin::moved_by(value->it_value, -plugin::ahead(clock))};
  if (copy->it_value.tv_sec == 0 && copy->it_value.tv_nsec == 0) copy->it_value.tv_nsec = 1;  // long past; 0 would stop it
  return copy;
}

}  // namespace

extern "C" {

CAIRN_EXPORT int sem_clockwait(sem_t* semaphore, clockid_t clock, const struct timespec* time) {
  Moment moment(clock, time);
  return next_sem_clockwait(semaphore, clock, moment.time());
}
CAIRN_EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t* lock, clockid_t clock, const struct timespec* time) noexcept {
  Moment moment(clock, time);
  return next_clockrdlock(lock, clock, moment.time());
}
CAIRN_EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t* lock, clockid_t clock, const struct timespec* time) noexcept {
  Moment moment(clock, time);
  return next_clockwrlock(lock, clock, moment.time());
}
CAIRN_EXPORT int pthread_clockjoin_np(pthread_t thread, void** result, clockid_t clock, const struct timespec* time) {
  Moment moment(clock, time);
  return next_clockjoin(thread, result, clock, moment.time());
}

CAIRN_EXPORT int timer_settime(timer_t timer, int flags, const struct itimerspec* value, struct itimerspec* old) noexcept {
  struct itimerspec copy;
  if (plugin::monotonic.moved && (flags & TIMER_ABSTIME) != 0 && value != nullptr) value = on_machine(clock_of_timer(timer), value, &copy);
  return next_timer_settime(timer, flags, value, old);
}

CAIRN_EXPORT int timerfd_settime(int fd, int flags, const struct itimerspec* value, struct itimerspec* old) noexcept {
  struct itimerspec copy;
  if (plugin::monotonic.moved && (flags & TFD_TIMER_ABSTIME) != 0 && value != nullptr) value = on_machine(clock_of_descriptor(fd), value, &copy);
  return next_timerfd_settime(fd, flags, value, old);
}

}  // extern "C"
}  // namespace cairn::clock
