#include "agent/requests.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>

#include "agent/agent.h"
#include "sys/futex.h"
#include "sys/own_fds.h"

namespace cairn::agent {

using sys::call_unchecked;
using sys::Text;

namespace {
constexpr uint64_t waking_patience_ns = 100'000'000;
}

int32_t Requests::ask(const char* name) { return ask(name, "", false); }

int32_t Requests::ask_hold(const char* what, const char* why) { return ask(what, why, true); }

int32_t Requests::ask(const char* name, const char* why, bool hold) {
  if (__atomic_load_n(&ready_, __ATOMIC_ACQUIRE) == 0) return 0;
  for (uint32_t free = 0; !__atomic_compare_exchange_n(&busy_, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED); free = 0) {
    sys::wait_while(&busy_, 1, 0);
  }
  error_[0] = 0;
  hold_ = hold;
  sys::TextBuilder(name_, sizeof name_).add(name != nullptr ? name : "");
  sys::TextBuilder(why_, sizeof why_).add(why != nullptr ? why : "");
  __atomic_store_n(&state_, asked, __ATOMIC_RELEASE);
  wake();
  for (uint32_t state; (state = sys::load(&state_)) != answered;) sys::wait_while(&state_, state, 0);
  int32_t result = result_;
  __atomic_store_n(&state_, none, __ATOMIC_RELEASE);
  sys::store_and_wake(&busy_, 0);
  return result;
}

void Requests::refuse(const char* why) { sys::TextBuilder(error_, sizeof error_).add(why); }

void Requests::last_error(char* buffer, uint32_t capacity) const {
  if (capacity > 0) sys::TextBuilder(buffer, capacity).add(error_);
}

void Requests::wake() {
  // A handler that takes the descriptor's number would wait for the thread that it interrupts.
  uint64_t one = 1, all = ~uint64_t{0}, before = 0;
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
  __atomic_fetch_add(&waking_, 1, __ATOMIC_SEQ_CST);
  const int fd = __atomic_load_n(&wake_fd_, __ATOMIC_SEQ_CST);
  if (fd >= 0) call_unchecked(SYS_write, fd, &one, sizeof one);
  __atomic_fetch_sub(&waking_, 1, __ATOMIC_SEQ_CST);
  call_unchecked(SYS_rt_sigprocmask, SIG_SETMASK, &before, nullptr, 8);
}

bool Requests::renumber(int fd) {
  __atomic_store_n(&wake_fd_, fd, __ATOMIC_SEQ_CST);
  // Who comes from now on reads this one. Where threads are held, one may stand in between for long.
  const uint64_t deadline = sys::now_ns() + waking_patience_ns;
  while (__atomic_load_n(&waking_, __ATOMIC_SEQ_CST) != 0) {
    if (sys::now_ns() >= deadline) return false;
    call_unchecked(SYS_sched_yield);
  }
  return true;
}

void Requests::open() {
  long fd = sys::call(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK);
  wake_fd_ = sys::failed(fd) ? -1 : sys::hide_fd(static_cast<int>(fd));
  __atomic_store_n(&ready_, 1, __ATOMIC_RELEASE);
}

bool Requests::take(Text* name, Text* why) {
  uint64_t count = 0;
  if (wake_fd_ >= 0) call_unchecked(SYS_read, wake_fd_, &count, sizeof count);
  if (sys::load(&state_) != asked) return false;
  __atomic_store_n(&state_, sent, __ATOMIC_RELEASE);
  *name = Text(name_);
  *why = Text(why_);
  return true;
}

void Requests::finish(int32_t result) {
  if (sys::load(&state_) == none) return;
  result_ = result;
  sys::store_and_wake(&state_, answered);
}

void Requests::answer(Text error) {
  if (sys::load(&state_) != sent) return;
  if (!error.empty()) sys::TextBuilder(error_, sizeof error_).add(error);
  finish(error.empty() ? 1 : -ECANCELED);
}

void Requests::lost() {
  uint32_t state = sys::load(&state_);
  if (state != asked && state != sent) return;
  sys::TextBuilder(error_, sizeof error_).add(state == asked ? "the session has no coordinator just now" : "the session's coordinator was lost meanwhile; whether there is a snapshot, `cairn ls` says");
  finish(-ENOTCONN);
}

void Requests::reset() { *this = Requests(); }

void Requests::restarted() {
  wake_fd_ = -1;
  if (sys::load(&state_) == asked || sys::load(&state_) == sent) finish(2);
}

}  // namespace cairn::agent
