// Owns: the wrappers of mutexes and condition variables. All mutexes but robust and priority-inheriting ones go straight to
// libc. For those, after a restart, libc's tid of the calling thread is the real one for as long as the call lasts, because
// libc writes it into the mutex and the kernel reads it there (mutex_words.h, lent.h). [any] as far as libc's functions are.
#include <dlfcn.h>
#include <pthread.h>

#include "common/monotonic.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/lent.h"
#include "pid/mutex_words.h"
#include "pid/threads.h"

namespace cairn::pid {

// The two that are hot: no look whether the function is known, since the first call comes here.
int first_lock(pthread_mutex_t* mutex);
int first_unlock(pthread_mutex_t* mutex);
static int (*libc_lock)(pthread_mutex_t*) = first_lock;
static int (*libc_unlock)(pthread_mutex_t*) = first_unlock;

CAIRN_PID_NEXT(pthread_mutex_lock);
CAIRN_PID_NEXT(pthread_mutex_trylock);
CAIRN_PID_NEXT(pthread_mutex_timedlock);
CAIRN_PID_NEXT(pthread_mutex_clocklock);
CAIRN_PID_NEXT(pthread_mutex_unlock);
CAIRN_PID_NEXT(pthread_mutex_consistent);
CAIRN_PID_NEXT(pthread_cond_wait);
CAIRN_PID_NEXT(pthread_cond_timedwait);
CAIRN_PID_NEXT(pthread_cond_clockwait);
#if __SIZEOF_POINTER__ == 4
static Next<int(pthread_mutex_t*, const void*)> next_timedlock64{"__pthread_mutex_timedlock64", nullptr};
static Next<int(pthread_mutex_t*, clockid_t, const void*)> next_clocklock64{"__pthread_mutex_clocklock64", nullptr};
static Next<int(pthread_cond_t*, pthread_mutex_t*, const void*)> next_timedwait64{"__pthread_cond_timedwait64", nullptr};
static Next<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const void*)> next_clockwait64{"__pthread_cond_clockwait64", nullptr};
#endif

namespace {

/// Gives this thread its real tid while it lives.
class RealTid {
 public:
  RealTid() : real_(static_cast<int32_t>(raw(SYS_gettid))), virtual_(own_tid()) {
    if (virtual_ == real_) return;
    place_ = lend(pthread_self(), virtual_, real_, false);
    _pthread_cleanup_push(&buffer_, end, this);
  }
  ~RealTid() {
    if (virtual_ == real_) return;
    _pthread_cleanup_pop(&buffer_, 0);
    end(this);
  }
  RealTid(const RealTid&) = delete;
  RealTid& operator=(const RealTid&) = delete;

  [[nodiscard]] int32_t real() const { return real_; }
  [[nodiscard]] int32_t virtual_id() const { return virtual_; }

 private:
  static void end(void* self) {
    auto* own = static_cast<RealTid*>(self);
    give_back(own->place_, pthread_self(), own->virtual_);
  }

  int32_t real_;
  int32_t virtual_;
  Lent* place_ = nullptr;
  struct _pthread_cleanup_buffer buffer_;
};

bool holds(int result) { return result == 0 || result == EOWNERDEAD || result == ETIMEDOUT; }

/// A call that may take the mutex.
template <typename Call>
[[gnu::noinline]] int take(pthread_mutex_t* mutex, Call call) {
  RealTid tid;
  renew_words(mutex);
  find_owner(mutex);
  uint32_t life = generation();
  int result = call();
  // A restart came while it waited: libc went on with the id of before.
  if (generation() != life && (result == 0 || result == EOWNERDEAD)) {
    rename_owner(mutex, tid.real(), static_cast<int32_t>(raw(SYS_gettid)));
  }
  return result;
}

/// A call of the thread that holds the mutex; it holds it afterwards if `keeps`.
template <typename Call>
[[gnu::noinline]] int release(pthread_mutex_t* mutex, bool keeps, Call call) {
  for (;;) {
    RealTid tid;
    renew_words(mutex);
    rename_owner(mutex, tid.virtual_id(), tid.real());
    uint32_t life = generation();
    int result = call();
    if (generation() == life) return result;
    if (keeps) {
      if (holds(result)) rename_owner(mutex, tid.real(), static_cast<int32_t>(raw(SYS_gettid)));
      return result;
    }
    if (result != EPERM) return result;
  }
}

[[gnu::always_inline]] inline bool plain(const pthread_mutex_t* mutex) {
  if (__builtin_expect(!active(), true)) return true;
  leave_lent();
  return !has_kernel_ids(mutex);
}

/// libc has a version of these for programs of before 2003, which dlsym may prefer.
template <typename Function>
void prepare_condition(Next<Function>& next) {
  void* found = dlvsym(RTLD_NEXT, next.name, "GLIBC_2.3.2");
  if (found != nullptr) __atomic_store_n(&next.function, reinterpret_cast<Function*>(found), __ATOMIC_RELAXED);
  else next.get();
}

/// By which a condition variable's moments are meant: a bit of libc's, which was said by pthread_condattr_setclock.
clockid_t clock_of(const pthread_cond_t* condition) {
  constexpr unsigned monotonic = 2;
  return (__atomic_load_n(&condition->__data.__wrefs, __ATOMIC_RELAXED) & monotonic) != 0 ? CLOCK_MONOTONIC : CLOCK_REALTIME;
}

}  // namespace

int first_lock(pthread_mutex_t* mutex) {
  __atomic_store_n(&libc_lock, next_pthread_mutex_lock.get(), __ATOMIC_RELAXED);
  return libc_lock(mutex);
}
int first_unlock(pthread_mutex_t* mutex) {
  __atomic_store_n(&libc_unlock, next_pthread_mutex_unlock.get(), __ATOMIC_RELAXED);
  return libc_unlock(mutex);
}

void prepare_mutexes() {
  libc_lock = next_pthread_mutex_lock.get();
  libc_unlock = next_pthread_mutex_unlock.get();
  next_pthread_mutex_trylock.get();
  next_pthread_mutex_timedlock.get();
  next_pthread_mutex_clocklock.get();
  next_pthread_mutex_consistent.get();
  prepare_condition(next_pthread_cond_wait);
  prepare_condition(next_pthread_cond_timedwait);
  next_pthread_cond_clockwait.get();
#if __SIZEOF_POINTER__ == 4
  next_timedlock64.get();
  next_clocklock64.get();
  next_timedwait64.get();
  next_clockwait64.get();
#endif
}

extern "C" {

CAIRN_EXPORT int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (plain(mutex)) return libc_lock(mutex);
  return take(mutex, [=] { return libc_lock(mutex); });
}
CAIRN_EXPORT int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (plain(mutex)) return next_pthread_mutex_trylock.get()(mutex);
  return take(mutex, [=] { return next_pthread_mutex_trylock.get()(mutex); });
}
CAIRN_EXPORT int pthread_mutex_timedlock(pthread_mutex_t* mutex, const struct timespec* time) noexcept {
  if (plain(mutex)) return next_pthread_mutex_timedlock.get()(mutex, time);
  return take(mutex, [=] { return next_pthread_mutex_timedlock.get()(mutex, time); });
}
CAIRN_EXPORT int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock, const struct timespec* time) noexcept {
  plugin::Moment moment(clock, time);
  time = moment.time();
  if (plain(mutex)) return next_pthread_mutex_clocklock.get()(mutex, clock, time);
  return take(mutex, [=] { return next_pthread_mutex_clocklock.get()(mutex, clock, time); });
}
CAIRN_EXPORT int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (plain(mutex)) return libc_unlock(mutex);
  return release(mutex, false, [=] { return libc_unlock(mutex); });
}
CAIRN_EXPORT int pthread_mutex_consistent(pthread_mutex_t* mutex) noexcept {
  if (plain(mutex)) return next_pthread_mutex_consistent.get()(mutex);
  return release(mutex, true, [=] { return next_pthread_mutex_consistent.get()(mutex); });
}

CAIRN_EXPORT int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (plain(mutex)) return next_pthread_cond_wait.get()(condition, mutex);
  return release(mutex, true, [=] { return next_pthread_cond_wait.get()(condition, mutex); });
}
CAIRN_EXPORT int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const struct timespec* time) {
  plugin::Moment moment(clock_of(condition), time);
  time = moment.time();
  if (plain(mutex)) return next_pthread_cond_timedwait.get()(condition, mutex, time);
  return release(mutex, true, [=] { return next_pthread_cond_timedwait.get()(condition, mutex, time); });
}
CAIRN_EXPORT int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const struct timespec* time) {
  plugin::Moment moment(clock, time);
  time = moment.time();
  if (plain(mutex)) return next_pthread_cond_clockwait.get()(condition, mutex, clock, time);
  return release(mutex, true, [=] { return next_pthread_cond_clockwait.get()(condition, mutex, clock, time); });
}

#if __SIZEOF_POINTER__ == 4
// For programs with 64-bit times, which stay as they are on the way.
CAIRN_EXPORT int __pthread_mutex_timedlock64(pthread_mutex_t* mutex, const void* time) {
  if (plain(mutex)) return next_timedlock64.get()(mutex, time);
  return take(mutex, [=] { return next_timedlock64.get()(mutex, time); });
}
CAIRN_EXPORT int __pthread_mutex_clocklock64(pthread_mutex_t* mutex, clockid_t clock, const void* time) {
  if (plain(mutex)) return next_clocklock64.get()(mutex, clock, time);
  return take(mutex, [=] { return next_clocklock64.get()(mutex, clock, time); });
}
CAIRN_EXPORT int __pthread_cond_timedwait64(pthread_cond_t* condition, pthread_mutex_t* mutex, const void* time) {
  if (plain(mutex)) return next_timedwait64.get()(condition, mutex, time);
  return release(mutex, true, [=] { return next_timedwait64.get()(condition, mutex, time); });
}
CAIRN_EXPORT int __pthread_cond_clockwait64(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const void* time) {
  if (plain(mutex)) return next_clockwait64.get()(condition, mutex, clock, time);
  return release(mutex, true, [=] { return next_clockwait64.get()(condition, mutex, clock, time); });
}
#endif

}  // extern "C"

}  // namespace cairn::pid
