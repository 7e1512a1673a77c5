// Owns: what remains of the time-outs of epoll_wait(2) and epoll_pwait(2). Their time-out is a number in a register, and the kernel tells
// nobody since when a thread waits: a call that is begun anew would wait for the whole time again. Here they are made as
// epoll_pwait2(2), whose time-out is in memory: in a slot of this table, where it is set right while the threads are stopped.
// A slot belongs to a thread for life and is never on its stack, since a handler may leave the call by longjmp, and a thread by being
// cancelled; then, in a handler's nested call, and without epoll_pwait2 (Linux 5.11, glibc 2.35) the call is made as it came.
// [any] the wrappers; [quiesced, restoring] the rest. Test: test/probes/events/timeouts.c.
#include <dlfcn.h>
#include <signal.h>
#include <sys/epoll.h>

#include "event/events.h"

namespace cairn::event {
namespace {

/// A time as the kernel has it, whatever libc's is.
struct Left {
  int64_t seconds;
  int64_t nanoseconds;
};
struct Slot {
  uintptr_t owner;     // thread pointer; 0: nobody's
  uint32_t busy;
  Left left;
  int64_t deadline;    // CLOCK_MONOTONIC
};
constexpr uint32_t slot_count = 512;
// Part of the image.
Slot slots[slot_count];
int64_t noted = 0;

using Wait = int(int, struct epoll_event*, int, int);
using WaitMasked = int(int, struct epoll_event*, int, int, const sigset_t*);
using WaitFor = int(int, struct epoll_event*, int, const Left*, const sigset_t*);
#if __SIZEOF_POINTER__ == 8
constexpr const char* epoll_pwait2_name = "epoll_pwait2";
#else
constexpr const char* epoll_pwait2_name = "__epoll_pwait2_time64";  // which gives its argument to the kernel, and no copy of it
#endif
Wait* next_wait = nullptr;
WaitMasked* next_wait_masked = nullptr;
WaitFor* next_wait_for = nullptr;

constexpr int64_t second = 1'000'000'000;

int64_t now() {
  struct timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return plugin::nanoseconds_of(time);
}

uintptr_t thread_pointer() {
  return reinterpret_cast<uintptr_t>(__builtin_thread_pointer());
}

/// This thread's slot, or NULL: it is in use by a call that this one interrupted, or there is none.
Slot* own_slot() {
  uintptr_t self = thread_pointer();
  auto first = static_cast<uint32_t>((uint64_t{self} * 0x9e3779b97f4a7c15u) >> 40) % slot_count;
  for (uint32_t step = 0; step < 16; ++step) {
    Slot* slot = &slots[(first + step) % slot_count];
    uintptr_t owner = __atomic_load_n(&slot->owner, __ATOMIC_RELAXED);
    if (owner == 0 && __atomic_compare_exchange_n(&slot->owner, &owner, self, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) owner = self;
    if (owner == self) return __atomic_exchange_n(&slot->busy, 1u, __ATOMIC_RELAXED) == 0 ? slot : nullptr;
  }
  return nullptr;
}

void set_left(Slot* slot, int64_t left) {
  if (left < 0) left = 0;
  slot->left = {left / second, left % second};
}

int wait_in(Slot* slot, int instance, struct epoll_event* events, int most, int timeout, const sigset_t* mask) {
  int64_t whole = int64_t{timeout} * 1'000'000;
  // In this order: who is stopped in between has a deadline that is right, and what was set by it is overwritten.
  slot->deadline = now() + whole;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  set_left(slot, whole);
  int result = next_wait_for(instance, events, most, &slot->left, mask);
  __atomic_store_n(&slot->busy, 0u, __ATOMIC_RELAXED);
  return result;
}

}  // namespace

void prepare_waiting() {
  // Also before init, by the constructor of another library.
  next_wait_for = reinterpret_cast<WaitFor*>(dlsym(RTLD_NEXT, epoll_pwait2_name));
  next_wait_masked = reinterpret_cast<WaitMasked*>(dlsym(RTLD_NEXT, "epoll_pwait"));
  __atomic_store_n(&next_wait, reinterpret_cast<Wait*>(dlsym(RTLD_NEXT, "epoll_wait")), __ATOMIC_RELEASE);
}

void note_time() { noted = now(); }

void set_waits_right(bool restarted) {
  int64_t moment = now();
  for (Slot& slot : slots) {
    if (slot.busy == 0) continue;
    // The time between checkpoint and restart does not count.
    if (restarted) slot.deadline += moment - noted;
    set_left(&slot, slot.deadline - moment);
  }
}

void forget_waits() {
  for (Slot& slot : slots) {
    if (slot.owner != thread_pointer()) slot = {};
  }
}

extern "C" CAIRN_EXPORT int epoll_wait(int instance, struct epoll_event* events, int most, int timeout) {
  if (__builtin_expect(__atomic_load_n(&next_wait, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  Slot* slot = timeout > 0 && next_wait_for != nullptr ? own_slot() : nullptr;
  return slot != nullptr ? wait_in(slot, instance, events, most, timeout, nullptr) : next_wait(instance, events, most, timeout);
}

extern "C" CAIRN_EXPORT int epoll_pwait(int instance, struct epoll_event* events, int most, int timeout, const sigset_t* mask) {
  if (__builtin_expect(__atomic_load_n(&next_wait, __ATOMIC_ACQUIRE) == nullptr, 0)) prepare_waiting();
  Slot* slot = timeout > 0 && next_wait_for != nullptr ? own_slot() : nullptr;
  return slot != nullptr ? wait_in(slot, instance, events, most, timeout, mask) : next_wait_masked(instance, events, most, timeout, mask);
}

}  // namespace cairn::event
