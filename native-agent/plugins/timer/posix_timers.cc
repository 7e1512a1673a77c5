// Owns: the timers that timer_create(2) made; see posix_timers.h.
// /proc/self/timers is the only place where the kernel tells of them. The id is what the application and libc keep: where
// the kernel lets us, it is asked for; elsewhere ids come in order from 0, so that timers are made until the right one comes.
#include "timer/posix_timers.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "common/text.h"

#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS 77
#define PR_TIMER_CREATE_RESTORE_IDS_OFF 0
#define PR_TIMER_CREATE_RESTORE_IDS_ON 1
#endif

namespace cairn::timer {

namespace {

struct Timer {
  int32_t id;
  int32_t signal;
  uint64_t value;
  int32_t notify;  // SIGEV_*
  int32_t target;  // virtual id of the thread, with SIGEV_THREAD_ID
  int32_t clock;   // owners in it are virtual
  int32_t reserved;
  struct itimerspec left;
};

Timer* timers = nullptr;
uint32_t capacity = 0;
uint32_t count = 0;

constexpr uint32_t capacity_of_text = 1 << 20;
constexpr int32_t most_attempts = 4000000;
char* text = nullptr;

// Ids of clocks: ~owner << 3, 4 for a thread's, and what is counted; 3 there is a descriptor's clock.
constexpr int32_t counted_mask = 3;
constexpr int32_t of_descriptor = 3;
constexpr int32_t of_thread = 4;
int32_t clock_owner(int32_t clock) { return ~(clock >> 3); }
bool is_cpu_clock(int32_t clock) { return clock < 0 && (clock & counted_mask) != of_descriptor; }
int32_t with_owner(int32_t clock, int32_t owner) {
  return static_cast<int32_t>(static_cast<uint32_t>(~owner) << 3) | (clock & (counted_mask | of_thread));
}

using Translate = int32_t (*)(int32_t);

int32_t translate(const cairn_host* host, int32_t id, bool real) {
  const cairn_ids* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  if (ids == nullptr || ids->size < sizeof(cairn_ids)) return id;
  return real ? ids->to_real(id) : ids->to_virtual(id);
}

int32_t translate_clock(const cairn_host* host, int32_t clock, bool real) {
  if (!is_cpu_clock(clock) || clock_owner(clock) == 0) return clock;
  return with_owner(clock, translate(host, clock_owner(clock), real));
}

template <size_t Size>
int32_t failed(const cairn_host* host, long error, int32_t id, const char (&why)[Size]) {
  plugin::Text<64> culprit;
  culprit.add("timer ").add(id);
  return host->fail(static_cast<int32_t>(error), culprit.text(), why);
}

bool make_room(const cairn_host* host) {
  if (count < capacity) return true;
  uint32_t larger = capacity == 0 ? 64 : capacity * 2;
  Timer* memory = static_cast<Timer*>(host->allocate(uint64_t{larger} * sizeof(Timer)));
  if (memory == nullptr) return false;
  if (count > 0) memcpy(static_cast<void*>(memory), timers, count * sizeof(Timer));
  timers = memory;
  capacity = larger;
  return true;
}

/// "signal/tid.123": what is done, to whom.
bool parse_notify(const char* at, Timer* timer, bool* thread) {
  const char* rest;
  if (plugin::begins(at, "signal/", &rest)) timer->notify = SIGEV_SIGNAL;
  else if (plugin::begins(at, "none/", &rest)) timer->notify = SIGEV_NONE;
  else if (plugin::begins(at, "thread/", &rest)) timer->notify = SIGEV_THREAD;
  else return false;
  *thread = plugin::begins(rest, "tid.", &rest);
  if (!*thread && !plugin::begins(rest, "pid.", &rest)) return false;
  int64_t id;
  if (!plugin::read_number(&rest, 10, &id)) return false;
  timer->target = static_cast<int32_t>(id);
  return true;
}

/// One timer of the file; its text ends where the next "ID:" begins.
bool parse(const char* block, Timer* timer, bool* thread) {
  const char* at = plugin::line_value(block, "ID:");
  int64_t id;
  int64_t signal;
  int64_t value;
  int64_t clock;
  if (at == nullptr || !plugin::read_number(&at, 10, &id)) return false;
  at = plugin::line_value(block, "signal:");
  if (at == nullptr || !plugin::read_number(&at, 10, &signal) || *at++ != '/') return false;
  const char* digits;
  if (plugin::begins(at, "0x", &digits)) at = digits;
  if (!plugin::read_number(&at, 16, &value)) return false;
  at = plugin::line_value(block, "ClockID:");
  if (at == nullptr || !plugin::read_number(&at, 10, &clock)) return false;
  at = plugin::line_value(block, "notify:");
  if (at == nullptr || !parse_notify(at, timer, thread)) return false;
  timer->id = static_cast<int32_t>(id);
  timer->signal = static_cast<int32_t>(signal);
  timer->value = static_cast<uint64_t>(value);
  timer->clock = static_cast<int32_t>(clock);
  return true;
}

/// A thread's own clock has no owner in its id, but would be that of Cairn's thread when it is made again.
void name_owner(const cairn_host* host, Timer* timer, bool thread) {
  int32_t owner = thread ? timer->target : host->virtual_pid();
  constexpr int32_t scheduled_time = 2;
  if (timer->clock == CLOCK_THREAD_CPUTIME_ID) timer->clock = with_owner(of_thread | scheduled_time, owner);
  else if (is_cpu_clock(timer->clock) && (timer->clock & of_thread) != 0 && clock_owner(timer->clock) == 0) {
    timer->clock = with_owner(timer->clock, owner);
  }
}

int32_t add(const cairn_host* host, const char* block) {
  if (!make_room(host)) return host->fail(-ENOMEM, "timers", "No memory to save the process' timers.");
  Timer timer = {};
  bool thread = false;
  if (!parse(block, &timer, &thread)) return host->fail(-EPROTO, "/proc/self/timers", "The kernel's list of timers has an unknown form.");
  if (thread) {
    timer.notify |= SIGEV_THREAD_ID;
    timer.target = translate(host, timer.target, false);
  }
  timer.clock = translate_clock(host, timer.clock, false);
  name_owner(host, &timer, thread);
  long error = host->syscall(SYS_timer_gettime, timer.id, reinterpret_cast<long>(&timer.left), 0, 0, 0, 0);
  if (error < 0) return failed(host, error, timer.id, "The time that the timer has left could not be read (timer_gettime).");
  timers[count++] = timer;
  return 0;
}

/// Without the list nothing can be said of a timer; that there is none can be seen.
int32_t check_none(const cairn_host* host) {
  for (int32_t id = 0; id < 4096; ++id) {
    struct itimerspec left;
    if (host->syscall(SYS_timer_gettime, id, reinterpret_cast<long>(&left), 0, 0, 0, 0) < 0) continue;
    return failed(host, -ENOTSUP, id, "The program uses a POSIX timer, and this kernel does not tell of timers (no /proc/self/timers). Use a kernel with CONFIG_CHECKPOINT_RESTORE.");
  }
  return 0;
}

long create(const cairn_host* host, const Timer& timer, int32_t* id) {
  struct sigevent event = {};
  event.sigev_notify = timer.notify;
  event.sigev_signo = timer.signal;
  event.sigev_value.sival_ptr = reinterpret_cast<void*>(timer.value);
  if ((timer.notify & SIGEV_THREAD_ID) != 0) event._sigev_un._tid = translate(host, timer.target, true);
  return host->syscall(SYS_timer_create, translate_clock(host, timer.clock, true), reinterpret_cast<long>(&event), reinterpret_cast<long>(id), 0, 0, 0);
}

/// Ids in order: every one below is used up.
int32_t create_in_order(const cairn_host* host, const Timer& timer) {
  for (int32_t attempt = 0; attempt < most_attempts; ++attempt) {
    int32_t id = -1;
    long error = create(host, timer, &id);
    if (error < 0) return failed(host, error, timer.id, "The timer could not be made again (timer_create).");
    if (id == timer.id) return 0;
    host->syscall(SYS_timer_delete, id, 0, 0, 0, 0, 0);
    if (id > timer.id) break;
  }
  return failed(host, -EBUSY, timer.id, "The timer could not be made again under its id, which is too high for this kernel. Linux 6.15 or later can do it.");
}

bool restore_ids(const cairn_host* host, long mode) {
  return host->syscall(SYS_prctl, PR_TIMER_CREATE_RESTORE_IDS, mode, 0, 0, 0, 0) == 0;
}

}  // namespace

int32_t save_posix_timers(const cairn_host* host) {
  count = 0;
  if (text == nullptr) text = static_cast<char*>(host->allocate(capacity_of_text));
  if (text == nullptr) return host->fail(-ENOMEM, "timers", "No memory to save the process' timers.");
  long size = plugin::read_file(host, "/proc/self/timers", text, capacity_of_text);
  if (size == -ENOENT) return check_none(host);
  if (size < 0) return host->fail(static_cast<int32_t>(size), "/proc/self/timers", "The list of the process' timers could not be read.");
  int32_t error = 0;
  for (char* at = text; *at != 0 && error == 0;) {
    // Ends the block where the next one begins, for the time of parsing.
    char* end = at + 1;
    const char* rest;
    while (*end != 0 && !(end[-1] == '\n' && plugin::begins(end, "ID:", &rest))) ++end;
    char first = *end;
    *end = 0;
    error = add(host, at);
    *end = first;
    at = end;
  }
  memset(text, 0, static_cast<size_t>(size));
  // In ascending order, for kernels that give ids in order.
  for (uint32_t index = 1; index < count; ++index) {
    for (uint32_t at = index; at > 0 && timers[at].id < timers[at - 1].id; --at) {
      Timer moved = timers[at];
      timers[at] = timers[at - 1];
      timers[at - 1] = moved;
    }
  }
  return error;
}

int32_t create_posix_timers(const cairn_host* host) {
  if (count == 0) return 0;
  bool by_id = restore_ids(host, PR_TIMER_CREATE_RESTORE_IDS_ON);
  int32_t error = 0;
  for (uint32_t index = 0; index < count && error == 0; ++index) {
    if (!by_id) {
      error = create_in_order(host, timers[index]);
      continue;
    }
    int32_t id = timers[index].id;
    long result = create(host, timers[index], &id);
    if (result < 0) error = failed(host, result, timers[index].id, "The timer could not be made again (timer_create).");
  }
  if (by_id) restore_ids(host, PR_TIMER_CREATE_RESTORE_IDS_OFF);
  return error;
}

int32_t start_posix_timers(const cairn_host* host) {
  for (uint32_t index = 0; index < count; ++index) {
    const struct itimerspec& left = timers[index].left;
    if (left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0) continue;
    long error = host->syscall(SYS_timer_settime, timers[index].id, 0, reinterpret_cast<long>(&left), 0, 0, 0);
    if (error < 0) return failed(host, error, timers[index].id, "The timer could not be started again (timer_settime).");
  }
  return 0;
}

}  // namespace cairn::timer
