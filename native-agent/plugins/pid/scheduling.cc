// Owns: the wrappers that read or set how a process or thread is scheduled, by its id. [any]
#include <sched.h>
#include <sys/resource.h>

#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(getpriority);
CAIRN_PID_NEXT(setpriority);
CAIRN_PID_NEXT(sched_getaffinity);

void prepare_scheduling() {
  next_getpriority.get();
  next_setpriority.get();
  next_sched_getaffinity.get();
}

namespace {

id_t real_who(int which, id_t who) {
  if (which == PRIO_PROCESS) return static_cast<id_t>(real_of(static_cast<int32_t>(who)));
  if (which == PRIO_PGRP) return static_cast<id_t>(real_group(static_cast<int32_t>(who)));
  return who;
}

int on_thread(long number, pid_t pid, long b = 0, long c = 0) {
  return static_cast<int>(with_errno(stable([=] { return raw(number, real_of(pid), b, c); })));
}

}  // namespace

extern "C" {

CAIRN_EXPORT int getpriority(__priority_which_t which, id_t who) noexcept {
  // -1 may be a result: no second attempt by it.
  return next_getpriority.get()(which, real_who(static_cast<int>(which), who));
}
CAIRN_EXPORT int setpriority(__priority_which_t which, id_t who, int priority) noexcept {
  return stable([=] { return next_setpriority.get()(which, real_who(static_cast<int>(which), who), priority); });
}

CAIRN_EXPORT int sched_setscheduler(pid_t pid, int policy, const struct sched_param* param) noexcept {
  return on_thread(SYS_sched_setscheduler, pid, policy, pointer(param));
}
CAIRN_EXPORT int sched_getscheduler(pid_t pid) noexcept { return on_thread(SYS_sched_getscheduler, pid); }
CAIRN_EXPORT int sched_setparam(pid_t pid, const struct sched_param* param) noexcept {
  return on_thread(SYS_sched_setparam, pid, pointer(param));
}
CAIRN_EXPORT int sched_getparam(pid_t pid, struct sched_param* param) noexcept {
  return on_thread(SYS_sched_getparam, pid, pointer(param));
}
CAIRN_EXPORT int sched_rr_get_interval(pid_t pid, struct timespec* interval) noexcept {
  return on_thread(SYS_sched_rr_get_interval, pid, pointer(interval));
}
CAIRN_EXPORT int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t* set) noexcept {
  return on_thread(SYS_sched_setaffinity, pid, static_cast<long>(size), pointer(set));
}
CAIRN_EXPORT int sched_getaffinity(pid_t pid, size_t size, cpu_set_t* set) noexcept {
  // libc's clears what the kernel leaves of the set.
  return stable([=] { return next_sched_getaffinity.get()(real_of(pid), size, set); });
}

}  // extern "C"

}  // namespace cairn::pid
