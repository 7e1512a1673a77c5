// Owns: the wrappers that wait for children and for signals. They are points of cancellation, so libc's functions do it. [any]
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/remaining.h"
#include "pid/ending.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/waits.h"

namespace cairn::pid {

// wait3 and wait4 carry no exception specification in every libc, so that their types are spelled out.
CAIRN_PID_NEXT(wait);
CAIRN_PID_NEXT(waitpid);
CAIRN_PID_NEXT(waitid);
static Next<pid_t(int*, int, struct rusage*)> next_wait3{"wait3", nullptr};
static Next<pid_t(pid_t, int*, int, struct rusage*)> next_wait4{"wait4", nullptr};
CAIRN_PID_NEXT(sigwaitinfo);
CAIRN_PID_NEXT(sigtimedwait);

void prepare_wait() {
  next_wait.get();
  next_waitpid.get();
  next_waitid.get();
  next_wait3.get();
  next_wait4.get();
  next_sigwaitinfo.get();
  next_sigtimedwait.get();
}

namespace {

pid_t child(pid_t real, uint32_t before) {
  if (real <= 0 || !active()) return real;
  return generation() == before ? to_virtual(Space::id, real, true) : child_name(real, before);
}

/// Who is waited for: a child, or a group as a negative number.
pid_t awaited(pid_t pid) { return pid > 0 ? real_child(pid) : real_target(pid); }
/// A call that was under way at a checkpoint goes on with the number of before, which names no child after the restart: again. So where the
/// child that was found is Cairn's. `found` of the result: the real id of who has ended; 0: nobody, asked again when that was not the whole truth
/// (ending.h).
template <typename Call, typename Found>
auto awaiting(pid_t asked, int options, Call call, Found found) {
  for (bool again = false;;) {
    uint32_t before = generation();
    auto result = call();
    if (__builtin_expect(result < 0 && errno == ECHILD && generation() != before, false)) continue;
    pid_t who = result < 0 ? -1 : found(result);
    if (asked <= 0 && __builtin_expect(is_cairns(who), false)) {
      if ((options & WNOWAIT) != 0) raw(SYS_wait4, who, 0, WNOHANG | __WALL, 0);
      continue;
    }
    if (again || (options & WNOHANG) == 0 || who != 0) return result;
    // With many children, and each time that nothing is found, only for those who may rely on it.
    bool any = asked <= 0 && (options & __WALL) != 0;
    if (!(again = (asked > 0 || any) && host != nullptr && await_ending(asked > 0 ? real_child(asked) : 0, any))) return result;
  }
}

pid_t itself(pid_t result) { return result; }

/// A child that was asked for by its number has that number.
pid_t answer(pid_t asked, pid_t real, uint32_t before) { return asked > 0 && real > 0 ? asked : child(real, before); }

/// Does si_pid hold the sender?
bool has_sender(const siginfo_t* info) {
  if (info->si_signo == SIGCHLD && info->si_code > 0) return true;
  return info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL || info->si_code == SI_MESGQ;
}

}  // namespace

long raw_wait4(const long* a) {
  auto asked = static_cast<pid_t>(a[0]);
  for (;;) {
    uint32_t before = generation();
    long result = raw(SYS_wait4, awaited(asked), a[1], a[2], a[3]);
    if (asked <= 0 && is_cairns(static_cast<int32_t>(result))) continue;
    if (result != -ECHILD || generation() == before) return result > 0 ? answer(asked, static_cast<pid_t>(result), before) : result;
  }
}

long raw_waitid(const long* a) {
  auto asked = static_cast<int32_t>(a[1]);
  auto* info = reinterpret_cast<siginfo_t*>(a[2]);
  for (;;) {
    uint32_t before = generation();
    long number = a[0] == P_PID ? real_child(asked) : a[0] == P_PGID ? real_group(asked) : a[1];
    long result = raw(SYS_waitid, a[0], number, a[2], a[3], a[4]);
    if (result == -ECHILD && generation() != before) continue;
    if (result == 0 && info != nullptr && a[0] != P_PID && is_cairns(info->si_pid)) {
      if ((a[3] & WNOWAIT) != 0) raw(SYS_wait4, info->si_pid, 0, WNOHANG | __WALL, 0);
      continue;
    }
    if (result == 0 && info != nullptr && info->si_pid > 0) info->si_pid = answer(a[0] == P_PID ? asked : 0, info->si_pid, before);
    return result;
  }
}

int with_sender(int signal, siginfo_t* info) {
  // Who sent it may have ended, and been waited for, since.
  if (signal > 0 && info != nullptr && active() && has_sender(info)) info->si_pid = to_virtual(Space::id, info->si_pid, true);
  return signal;
}

extern "C" {

CAIRN_EXPORT pid_t wait(int* status) {
  uint32_t before;
  pid_t real;
  do {
    before = generation();
    real = next_wait.get()(status);
  } while (is_cairns(real));
  return child(real, before);
}

CAIRN_EXPORT pid_t waitpid(pid_t pid, int* status, int options) {
  uint32_t before = generation();
  auto call = [=] { return next_waitpid.get()(awaited(pid), status, options); };
  return answer(pid, awaiting(pid, options, call, itself), before);
}

CAIRN_EXPORT pid_t wait3(int* status, int options, struct rusage* usage) noexcept {
  uint32_t before;
  pid_t real;
  do {
    before = generation();
    real = next_wait3.get()(status, options, usage);
  } while (is_cairns(real));
  return child(real, before);
}

CAIRN_EXPORT pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) noexcept {
  uint32_t before = generation();
  auto call = [=] { return next_wait4.get()(awaited(pid), status, options, usage); };
  return answer(pid, awaiting(pid, options, call, itself), before);
}

CAIRN_EXPORT int waitid(idtype_t type, id_t id, siginfo_t* info, int options) {
  uint32_t before = generation();
  auto call = [=] {
    int32_t number = static_cast<int32_t>(id);
    if (type == P_PID) number = real_child(number);
    if (type == P_PGID) number = real_group(number);
    return next_waitid.get()(type, static_cast<id_t>(number), info, options);
  };
  auto who = [=](int) { return info != nullptr ? info->si_pid : -1; };
  int result = awaiting(type == P_PID ? static_cast<pid_t>(id) : 0, options, call, who);
  if (result == 0 && info != nullptr && active()) info->si_pid = answer(type == P_PID ? static_cast<pid_t>(id) : 0, info->si_pid, before);
  return result;
}

CAIRN_EXPORT int sigwaitinfo(const sigset_t* set, siginfo_t* info) { return with_sender(next_sigwaitinfo.get()(set, info), info); }

CAIRN_EXPORT int sigtimedwait(const sigset_t* set, siginfo_t* info, const struct timespec* timeout) {
#if __SIZEOF_POINTER__ == 4
  return sigtimedwait_wide(set, info, timeout);
#else
  plugin::Remaining time(timeout);
  auto left = reinterpret_cast<const struct timespec*>(time.left());
  return with_sender(next_sigtimedwait.get()(set, info, left != nullptr ? left : timeout), info);
#endif
}

}  // extern "C"

}  // namespace cairn::pid
