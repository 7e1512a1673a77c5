// Owns: syscall(2): the ids in the arguments and results of the calls that are wrapped elsewhere under their own names, and of
// those that libc has no function for; rt_sigaction, which is the plugin signal's; and from the start, since they note what is made,
// the calls of System V objects, which are the plugin sysv's, those of io_uring, which are the plugin uring's, those on
// priority-inheriting futexes (pi_words.h), and madvise and mremap, of which the agent has to know by libc's functions; and
// landlock_restrict_self is noted. All other calls go on as they came. [any]
#include <linux/futex.h>
#include <mqueue.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/monotonic.h"
#include "common/restricted.h"
#include "pid/clocks.h"
#include "pid/cpu_times.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/pi_words.h"
#include "pid/waits.h"

#ifdef SYS_ipc
extern "C" int __semtimedop64(int, struct sembuf*, size_t, const void*);
#endif

namespace cairn::pid {

static Next<long(long, ...)> next_syscall{"syscall", nullptr};

void prepare_syscall() { next_syscall.get(); }

namespace {

constexpr int ioprio_process = 1;
constexpr int ioprio_group = 2;

int32_t id(long argument) { return real_of(static_cast<int32_t>(argument)); }

long who(long which, long number, long process, long group) {
  int32_t value = static_cast<int32_t>(number);
  return which == process ? real_of(value) : which == group ? real_group(value) : number;
}

long create_timer(const long* a) {
  const struct sigevent* given = reinterpret_cast<const struct sigevent*>(a[1]);
  struct sigevent event;
  if (given != nullptr) {
    memcpy(&event, given, sizeof event);
    if ((event.sigev_notify & SIGEV_THREAD_ID) != 0) event._sigev_un._tid = real_of(event._sigev_un._tid);
  }
  return raw(SYS_timer_create, real_clock(static_cast<clockid_t>(a[0])), given != nullptr ? pointer(&event) : 0, a[2]);
}

/// Who queues a signal says in siginfo who he is; the receiver makes a virtual id of it again.
long queue_signal(long number, const long* a) {
  bool to_thread = number == SYS_rt_tgsigqueueinfo;
  const siginfo_t* given = reinterpret_cast<const siginfo_t*>(a[to_thread ? 3 : 2]);
  siginfo_t info;
  if (given != nullptr) {
    memcpy(&info, given, sizeof info);
    if (info.si_code == SI_QUEUE || info.si_code == SI_MESGQ) info.si_pid = real_of(info.si_pid);
    given = &info;
  }
  return to_thread ? raw(number, id(a[0]), id(a[1]), a[2], pointer(given)) : raw(number, id(a[0]), a[1], pointer(given));
}

long change_action(const long* a) {
  auto* signals = static_cast<const cairn_signals*>(host->extension("cairn.signals/1"));
  if (signals == nullptr) return raw(SYS_rt_sigaction, a[0], a[1], a[2], a[3]);
  return signals->action(static_cast<int32_t>(a[0]), reinterpret_cast<const void*>(a[1]), reinterpret_cast<void*>(a[2]),
                         static_cast<uint64_t>(a[3]));
}

#ifdef SYS_clock_gettime64
long wide_clock_time(const long* a) {
  auto clock = static_cast<clockid_t>(a[0]);
  long result = raw(SYS_clock_gettime64, real_clock(clock), a[1]);
  auto* words = reinterpret_cast<int64_t*>(a[1]);
  int64_t before = result == 0 ? cpu_time_before(clock) : 0;
  if (before == 0) return result;
  int64_t sum = words[0] * 1'000'000'000 + words[1] + before;
  words[0] = sum / 1'000'000'000;
  words[1] = sum % 1'000'000'000;
  return result;
}
#endif

long sleep_until(const long* a) {
  auto clock = static_cast<clockid_t>(a[0]);
  plugin::Moment moment(clock, (a[1] & TIMER_ABSTIME) != 0 ? reinterpret_cast<const struct timespec*>(a[2]) : nullptr);
  return raw(SYS_clock_nanosleep, real_clock(clock), a[1], moment.time() != nullptr ? pointer(moment.time()) : a[2], a[3]);
}

/// True if the call holds ids, or a time of a clock, and was made here.
bool call_with_ids(long number, const long* a, long* result) {
  switch (number) {
    case SYS_getpid: *result = getpid(); return true;
    case SYS_gettid: *result = own_tid(); return true;
    case SYS_getppid: *result = getppid(); return true;
    case SYS_getpgrp: *result = to_virtual(Space::group, static_cast<int32_t>(raw(SYS_getpgrp))); return true;
    case SYS_getpgid: *result = raw(number, id(a[0])); break;
    case SYS_getsid: *result = raw(number, id(a[0])); break;
    case SYS_setsid: {
      pid_t session = setsid();
      *result = session < 0 ? -errno : session;
      return true;
    }
    case SYS_setpgid: *result = raw(number, id(a[0]), real_group(static_cast<int32_t>(a[1]))); return true;
    case SYS_kill: *result = raw(number, real_target(static_cast<int32_t>(a[0])), a[1]); return true;
    case SYS_tkill:
    case SYS_pidfd_open:
    case SYS_prlimit64:
    case SYS_get_robust_list:
    case SYS_process_vm_readv:
    case SYS_process_vm_writev:
    case SYS_sched_setscheduler:
    case SYS_sched_getscheduler:
    case SYS_sched_setparam:
    case SYS_sched_getparam:
    case SYS_sched_setattr:
    case SYS_sched_getattr:
    case SYS_sched_rr_get_interval:
#ifdef SYS_sched_rr_get_interval_time64
    case SYS_sched_rr_get_interval_time64:
#endif
    case SYS_sched_setaffinity:
    case SYS_sched_getaffinity:
    case SYS_migrate_pages:
    case SYS_move_pages: *result = raw(number, id(a[0]), a[1], a[2], a[3], a[4], a[5]); return true;
    case SYS_tgkill:
    case SYS_kcmp: *result = raw(number, id(a[0]), id(a[1]), a[2], a[3], a[4], a[5]); return true;
    case SYS_perf_event_open:
      *result = raw(number, a[0], (a[4] & 4) != 0 ? a[1] : id(a[1]), a[2], a[3], a[4]);  // 4: a[1] is a control group's descriptor
      return true;
    case SYS_getpriority: *result = raw(number, a[0], who(a[0], a[1], PRIO_PROCESS, PRIO_PGRP)); return true;
    case SYS_setpriority: *result = raw(number, a[0], who(a[0], a[1], PRIO_PROCESS, PRIO_PGRP), a[2]); return true;
    case SYS_ioprio_get: *result = raw(number, a[0], who(a[0], a[1], ioprio_process, ioprio_group)); return true;
    case SYS_ioprio_set: *result = raw(number, a[0], who(a[0], a[1], ioprio_process, ioprio_group), a[2]); return true;
    case SYS_clock_gettime:
      *result = raw(number, real_clock(static_cast<clockid_t>(a[0])), a[1]);
      if (*result == 0) {
        add_cpu_time(static_cast<clockid_t>(a[0]), reinterpret_cast<struct timespec*>(a[1]));
        plugin::add_monotonic(static_cast<clockid_t>(a[0]), reinterpret_cast<struct timespec*>(a[1]));
      }
      return true;
    case SYS_getrusage:
      *result = raw(number, a[0], a[1]);
      if (*result == 0) add_usage(static_cast<int>(a[0]), reinterpret_cast<struct rusage*>(a[1]));
      return true;
    case SYS_clock_nanosleep: *result = sleep_until(a); return true;
#ifdef SYS_clock_gettime64
    case SYS_clock_gettime64: *result = wide_clock_time(a); return true;
    case SYS_clock_getres_time64:
    case SYS_clock_nanosleep_time64:
#endif
    case SYS_clock_getres:
      *result = raw(number, real_clock(static_cast<clockid_t>(a[0])), a[1], a[2], a[3]);
      return true;
    case SYS_timer_create: *result = create_timer(a); return true;
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo: *result = queue_signal(number, a); return true;
    case SYS_rt_sigaction: *result = change_action(a); return true;
    case SYS_futex: {
      int operation = static_cast<int>(a[1]) & FUTEX_CMD_MASK;
      if (operation != FUTEX_WAIT_BITSET || (a[1] & FUTEX_CLOCK_REALTIME) != 0) return false;
      plugin::Moment moment(CLOCK_MONOTONIC, reinterpret_cast<const struct timespec*>(a[3]));
      *result = raw(number, a[0], a[1], a[2], pointer(moment.time()), a[4], a[5]);
      return true;
    }
    default: return false;
  }
  // getpgid and getsid
  Space space = number == SYS_getsid ? Space::session : Space::group;
  if (*result >= 0) *result = to_virtual(space, static_cast<int32_t>(*result));
  return true;
}

/// True if it waits for a child or a signal, which are told by ids: also before the first restart, which may come while it waits.
bool call_that_waits(long number, const long* a, long* result) {
  switch (number) {
#ifdef SYS_waitpid
    case SYS_waitpid: {
      const long all[4] = {a[0], a[1], a[2], 0};
      *result = raw_wait4(all);
      return true;
    }
#endif
    case SYS_wait4: *result = raw_wait4(a); return true;
    case SYS_waitid: *result = raw_waitid(a); return true;
    case SYS_rt_sigtimedwait:
      *result = raw(number, a[0], a[1], a[2], a[3]);
      with_sender(static_cast<int>(*result), reinterpret_cast<siginfo_t*>(a[1]));
      return true;
    default: return false;
  }
}

/// True if the call is about System V objects and was made by their plugin; errno is set then.
bool call_of_sysv(long number, const long* a, long* result) {
  switch (number) {
    case SYS_shmget: case SYS_shmat: case SYS_shmctl: case SYS_semget: case SYS_semctl: 
#ifdef SYS_ipc
    case SYS_semtimedop_time64:
#else
    case SYS_semop: case SYS_semtimedop:
#endif
    case SYS_msgget: case SYS_msgsnd: case SYS_msgrcv: case SYS_msgctl: break;
    default: return false;
  }
  auto* objects = host == nullptr ? nullptr : static_cast<const cairn_system_v*>(host->extension("cairn.sysv/1"));
  if (objects == nullptr) return false;
  const int64_t arguments[6] = {a[0], a[1], a[2], a[3], a[4], a[5]};
  int64_t given = 0;
  bool made = objects->call(number, arguments, &given) == 1;
  *result = static_cast<long>(given);
  return made;
}

/// True if the call is about io_uring instances and was made by their plugin.
bool call_of_rings(long number, const long* a, long* result) {
  if (number != SYS_io_uring_setup && number != SYS_io_uring_register) return false;
  const cairn_host* known = host;
  auto* rings = known == nullptr ? nullptr : static_cast<const cairn_rings*>(known->extension("cairn.rings/1"));
  if (rings == nullptr) return false;
  *result = with_errno(number == SYS_io_uring_setup
                           ? rings->set_up(static_cast<uint32_t>(a[0]), reinterpret_cast<void*>(a[1]))
                           : rings->change(static_cast<int32_t>(a[0]), static_cast<uint32_t>(a[1]), reinterpret_cast<void*>(a[2]), static_cast<uint32_t>(a[3])));
  return true;
}

/// The same for POSIX message queues.
bool call_of_queues(long number, const long* a, long* result) {
  char name[260] = "/";
  if (number == SYS_mq_notify) {
    auto* event = reinterpret_cast<const struct sigevent*>(a[1]);
    // With a thread it is something else in libc's hands.
    if (event != nullptr && event->sigev_notify == SIGEV_THREAD) return false;
    *result = mq_notify(static_cast<mqd_t>(a[0]), event);
    return true;
  }
  if (number != SYS_mq_open && number != SYS_mq_unlink) return false;
  strncpy(name + 1, reinterpret_cast<const char*>(a[0]), sizeof name - 2);
  *result = number == SYS_mq_unlink ? mq_unlink(name) : mq_open(name, static_cast<int>(a[1]), static_cast<mode_t>(a[2]), reinterpret_cast<struct mq_attr*>(a[3]));
  return true;
}

/// Advice that keeps memory from the agent's forks is noted, and memory that a restart has mapped from the image behaves like any other,
/// only by libc's functions. A library that has put its own code into those (as UCX does) comes back here from there: then it is the system's call.
bool call_of_memory(long number, const long* a, long* result) {
  static thread_local bool inside;
  if (inside || (number != SYS_madvise && number != SYS_mremap)) return false;
  inside = true;
  auto* address = reinterpret_cast<void*>(a[0]);
  if (number == SYS_madvise) {
    *result = madvise(address, static_cast<size_t>(a[1]), static_cast<int>(a[2]));
  } else {
    void* moved = mremap(address, static_cast<size_t>(a[1]), static_cast<size_t>(a[2]), static_cast<int>(a[3]), reinterpret_cast<void*>(a[4]));
    *result = static_cast<long>(reinterpret_cast<intptr_t>(moved));
  }
  inside = false;
  return true;
}

}  // namespace

extern "C" CAIRN_EXPORT long syscall(long number, ...) noexcept {
  long a[6];
  va_list list;
  va_start(list, number);
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  long result;
  if (call_for_child(number, a, &result) || call_that_waits(number, a, &result) || call_on_pi_word(number, a, &result)) return with_errno(result);
  if (number == SYS_exit && is_last_thread()) raw(SYS_exit_group, a[0]);
  if (call_of_sysv(number, a, &result) || call_of_rings(number, a, &result) || call_of_queues(number, a, &result)) return result;
  if (call_of_memory(number, a, &result)) return result;
  if (number == SYS_landlock_restrict_self) {
    result = next_syscall.get()(number, a[0], a[1]);
    // Without rules it says only what is logged.
    if (result == 0 && static_cast<int>(a[0]) >= 0 && host != nullptr) plugin::note_restriction(host);
    return result;
  }
  if (active() && (call_with_paths(number, a, &result) || call_of_sockets(number, a, &result))) return result;
  if (!active() || !call_with_ids(number, a, &result)) return next_syscall.get()(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return with_errno(result);
}

}  // namespace cairn::pid
