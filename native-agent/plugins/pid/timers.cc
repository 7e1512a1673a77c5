// Owns: timer_create: the thread that a timer signals (SIGEV_THREAD_ID), the clock that it counts, and, after a restart, timers
// that call a function in a thread (SIGEV_THREAD).
// libc serves the last kind by a thread of its own, whose id it keeps where nobody can put it right: timers that it made before
// a restart go on (the timer plugin renews them with the real id), but it could make no new ones. Those are made here, in the
// same way: a thread that waits for signal 32 from the kernel and starts a thread for each.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "pid/clocks.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(timer_create);
CAIRN_PID_NEXT(timer_delete);

void prepare_timers() {
  next_timer_create.get();
  next_timer_delete.get();
}

namespace {

constexpr uint32_t capacity = 256;
constexpr int timer_signal = 32;  // as libc's
constexpr long mask_size = 8;

enum SlotState : uint32_t { empty, changing, ready };

/// One timer that calls a function; `id` is the kernel's, which libc's other timer functions take as it is.
struct Slot {
  uint32_t state;
  int32_t id;
  void (*function)(union sigval);
  union sigval value;
  pthread_attr_t attributes;
};
Slot slots[capacity];

pthread_mutex_t helper_mutex = PTHREAD_MUTEX_INITIALIZER;  // timer_create is not for signal handlers
int32_t helper_tid;                                       // virtual; 0: not started

struct Call {
  void (*function)(union sigval);
  union sigval value;
  uint32_t taken;
};

void* call_function(void* data) {
  Call* shared = static_cast<Call*>(data);
  Call own = *shared;
  __atomic_store_n(&shared->taken, 1, __ATOMIC_RELEASE);
  uint64_t none = 0;
  raw(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&none), 0, mask_size);
  own.function(own.value);
  return nullptr;
}

void serve(uint32_t index) {
  if (index >= capacity) return;
  Slot& slot = slots[index];
  if (__atomic_load_n(&slot.state, __ATOMIC_ACQUIRE) != ready) return;
  Call call = {slot.function, slot.value, 0};
  pthread_t thread;
  if (::pthread_create(&thread, &slot.attributes, call_function, &call) != 0) return;
  while (__atomic_load_n(&call.taken, __ATOMIC_ACQUIRE) == 0) raw(SYS_sched_yield);
}

void* helper(void* started) {
  uint64_t all = ~uint64_t{0};
  raw(SYS_rt_sigprocmask, SIG_SETMASK, pointer(&all), 0, mask_size);
  __atomic_store_n(static_cast<int32_t*>(started), own_tid(), __ATOMIC_RELEASE);
  uint64_t set = uint64_t{1} << (timer_signal - 1);
  for (;;) {
    siginfo_t info;
    long signal = raw(SYS_rt_sigtimedwait, pointer(&set), pointer(&info), 0, mask_size);
    if (signal == timer_signal && info.si_code == SI_TIMER) serve(static_cast<uint32_t>(info.si_value.sival_int));
  }
}

/// The helper's virtual id, or 0.
int32_t find_helper() {
  pthread_mutex_lock(&helper_mutex);
  if (helper_tid == 0) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int32_t started = 0;
    if (::pthread_create(&thread, &attributes, helper, &started) == 0) {
      while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) == 0) raw(SYS_sched_yield);
      helper_tid = started;
    }
    pthread_attr_destroy(&attributes);
  }
  int32_t found = helper_tid;
  pthread_mutex_unlock(&helper_mutex);
  return found;
}

/// What the application may have said of the thread, without its memory, which it may give back.
void copy_attributes(const pthread_attr_t* from, pthread_attr_t* to) {
  pthread_attr_init(to);
  if (from != nullptr) {
    size_t size;
    int number;
    struct sched_param param;
    if (pthread_attr_getstacksize(from, &size) == 0 && size != 0) pthread_attr_setstacksize(to, size);
    if (pthread_attr_getguardsize(from, &size) == 0) pthread_attr_setguardsize(to, size);
    if (pthread_attr_getinheritsched(from, &number) == 0) pthread_attr_setinheritsched(to, number);
    if (pthread_attr_getschedpolicy(from, &number) == 0) pthread_attr_setschedpolicy(to, number);
    if (pthread_attr_getschedparam(from, &param) == 0) pthread_attr_setschedparam(to, &param);
  }
  pthread_attr_setdetachstate(to, PTHREAD_CREATE_DETACHED);
}

void release(Slot* slot) {
  __atomic_store_n(&slot->state, changing, __ATOMIC_RELEASE);
  pthread_attr_destroy(&slot->attributes);
  __atomic_store_n(&slot->state, empty, __ATOMIC_RELEASE);
}

int create_calling(clockid_t clock, const struct sigevent* event, timer_t* timer) {
  int32_t thread = find_helper();
  if (thread == 0) return EAGAIN;
  for (uint32_t index = 0; index < capacity; ++index) {
    Slot& slot = slots[index];
    uint32_t expected = empty;
    if (!__atomic_compare_exchange_n(&slot.state, &expected, changing, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    slot.function = event->sigev_notify_function;
    slot.value = event->sigev_value;
    copy_attributes(event->sigev_notify_attributes, &slot.attributes);
    int id = 0;
    long result = stable([&] {
      struct sigevent request = {};
      request.sigev_notify = SIGEV_THREAD_ID;
      request.sigev_signo = timer_signal;
      request.sigev_value.sival_int = static_cast<int>(index);
      request._sigev_un._tid = real_of(thread);
      return raw(SYS_timer_create, real_clock(clock), pointer(&request), pointer(&id));
    });
    if (result < 0) {
      release(&slot);
      return static_cast<int>(-result);
    }
    slot.id = id;
    __atomic_store_n(&slot.state, ready, __ATOMIC_RELEASE);
    *timer = reinterpret_cast<timer_t>(static_cast<intptr_t>(id));
    return 0;
  }
  return EAGAIN;
}

}  // namespace

void forget_timers() {
  for (Slot& slot : slots) __atomic_store_n(&slot.state, empty, __ATOMIC_RELEASE);
  helper_tid = 0;
  helper_mutex = PTHREAD_MUTEX_INITIALIZER;
}

extern "C" {

CAIRN_EXPORT int timer_create(clockid_t clock, struct sigevent* event, timer_t* timer) noexcept {
  if (!active()) return next_timer_create.get()(clock, event, timer);
  if (event != nullptr && event->sigev_notify == SIGEV_THREAD) {
    int error = create_calling(clock, event, timer);
    if (error == 0) return 0;
    errno = error;
    return -1;
  }
  return stable([=] {
    if (event == nullptr || (event->sigev_notify & SIGEV_THREAD_ID) == 0) {
      return next_timer_create.get()(real_clock(clock), event, timer);
    }
    struct sigevent request;
    memcpy(&request, event, sizeof request);
    request._sigev_un._tid = real_of(event->_sigev_un._tid);
    return next_timer_create.get()(real_clock(clock), &request, timer);
  });
}

CAIRN_EXPORT int timer_delete(timer_t timer) noexcept {
  int result = next_timer_delete.get()(timer);
  // Numbers below 0 are libc's own pointers.
  if (result != 0 || !active() || reinterpret_cast<intptr_t>(timer) < 0) return result;
  int32_t id = static_cast<int32_t>(reinterpret_cast<intptr_t>(timer));
  for (Slot& slot : slots) {
    if (__atomic_load_n(&slot.state, __ATOMIC_ACQUIRE) != ready || slot.id != id) continue;
    release(&slot);
    break;
  }
  return result;
}

}  // extern "C"

}  // namespace cairn::pid
