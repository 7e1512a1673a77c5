// Owns: the wrappers that ask for the ids of processes, groups and sessions, or send signals to them.
// [any], async-signal-safe. libc does no more in these functions than the system call, so they are system calls here too.
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(sigqueue);

void prepare_process() { next_sigqueue.get(); }

namespace {

int group_result(long number, Space space, pid_t of) {
  long result = settled([=] {
    long real = raw(number, real_of(of));
    return real < 0 ? real : static_cast<long>(to_virtual(space, static_cast<int32_t>(real)));
  });
  return static_cast<int>(with_errno(result));
}

}  // namespace

extern "C" {

CAIRN_EXPORT pid_t getpid() noexcept {
  return settled([] {
    int32_t real = static_cast<int32_t>(raw(SYS_getpid));
    if (!active()) return real;
    // A child made by vfork or clone shares this memory, so the kernel is asked in any case.
    return real == self_real() ? self_virtual() : to_virtual(Space::id, real);
  });
}
CAIRN_EXPORT pid_t __getpid() noexcept { return getpid(); }

CAIRN_EXPORT pid_t getppid() noexcept {
  return settled([] {
    int32_t real = static_cast<int32_t>(raw(SYS_getppid));
    return active() ? virtual_parent(real) : real;
  });
}

CAIRN_EXPORT pid_t gettid() noexcept { return own_tid(); }

CAIRN_EXPORT pid_t getpgrp() noexcept { return group_result(SYS_getpgid, Space::group, 0); }
CAIRN_EXPORT pid_t getpgid(pid_t pid) noexcept { return group_result(SYS_getpgid, Space::group, pid); }
CAIRN_EXPORT pid_t __getpgid(pid_t pid) noexcept { return getpgid(pid); }
CAIRN_EXPORT pid_t getsid(pid_t pid) noexcept { return group_result(SYS_getsid, Space::session, pid); }

CAIRN_EXPORT int setpgid(pid_t pid, pid_t group) noexcept {
  return static_cast<int>(with_errno(stable([=] { return raw(SYS_setpgid, real_of(pid), real_group(group)); })));
}

CAIRN_EXPORT pid_t setsid() noexcept {
  long result = raw(SYS_setsid);
  if (result < 0 || !active()) return static_cast<pid_t>(with_errno(result));
  // The process leads a group and a session now, in reality too: names that stood for others are its own.
  pid_t own = getpid();
  remove_virtual(Space::group, own);
  remove_virtual(Space::session, own);
  return own;
}

CAIRN_EXPORT int kill(pid_t pid, int signal) noexcept {
  return static_cast<int>(with_errno(stable([=] { return raw(SYS_kill, real_target(pid), signal); })));
}

CAIRN_EXPORT int killpg(pid_t group, int signal) noexcept {
  if (group < 0) {
    errno = EINVAL;
    return -1;
  }
  return kill(-group, signal);
}

CAIRN_EXPORT int tgkill(pid_t process, pid_t thread, int signal) noexcept {
  return static_cast<int>(with_errno(stable([=] { return raw(SYS_tgkill, real_of(process), real_of(thread), signal); })));
}

CAIRN_EXPORT int sigqueue(pid_t pid, int signal, const union sigval value) noexcept {
  return stable([=] { return next_sigqueue.get()(real_of(pid), signal, value); });
}

CAIRN_EXPORT int pidfd_open(pid_t pid, unsigned flags) noexcept {
  return static_cast<int>(with_errno(stable([=] { return raw(SYS_pidfd_open, real_of(pid), flags); })));
}

CAIRN_EXPORT ssize_t process_vm_readv(pid_t pid, const struct iovec* local, unsigned long local_count, const struct iovec* remote,
                                      unsigned long remote_count, unsigned long flags) noexcept {
  return with_errno(stable([=] {
    return raw(SYS_process_vm_readv, real_of(pid), pointer(local), static_cast<long>(local_count), pointer(remote),
               static_cast<long>(remote_count), static_cast<long>(flags));
  }));
}

CAIRN_EXPORT ssize_t process_vm_writev(pid_t pid, const struct iovec* local, unsigned long local_count, const struct iovec* remote,
                                       unsigned long remote_count, unsigned long flags) noexcept {
  return with_errno(stable([=] {
    return raw(SYS_process_vm_writev, real_of(pid), pointer(local), static_cast<long>(local_count), pointer(remote),
               static_cast<long>(remote_count), static_cast<long>(flags));
  }));
}

CAIRN_EXPORT int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit* limit, struct rlimit* old) noexcept {
  return static_cast<int>(
      with_errno(stable([=] { return raw(SYS_prlimit64, real_of(pid), resource, pointer(limit), pointer(old)); })));
}
CAIRN_EXPORT int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64* limit, struct rlimit64* old) noexcept {
  return static_cast<int>(
      with_errno(stable([=] { return raw(SYS_prlimit64, real_of(pid), resource, pointer(limit), pointer(old)); })));
}

}  // extern "C"

}  // namespace cairn::pid
