// Owns: the ids that file descriptors and terminals hold: owners of signals and locks, a terminal's group and session. [any]
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "common/notices.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/terminals.h"

#ifndef FIOSETOWN
#define FIOSETOWN 0x8901
#define FIOGETOWN 0x8903
#endif
#ifndef SIOCSPGRP
#define SIOCSPGRP 0x8902
#define SIOCGPGRP 0x8904
#endif

namespace cairn::pid {

static Next<int(int, int, ...)> next_fcntl{"fcntl", nullptr};
static Next<int(int, int, ...)> next_fcntl64{"fcntl64", nullptr};
static Next<int(int, unsigned long, ...)> next_ioctl{"ioctl", nullptr};
#if __SIZEOF_POINTER__ == 4
static Next<int(int, unsigned long, ...)> next_ioctl_time64{"__ioctl_time64", nullptr};
#endif

void prepare_files() {
  next_fcntl.get();
  next_fcntl64.get();
  next_ioctl.get();
#if __SIZEOF_POINTER__ == 4
  next_ioctl_time64.get();
#endif
}

namespace {

Space space_of_owner(int type) { return type == F_OWNER_PGRP ? Space::group : Space::id; }

/// A process, or a group as a negative number.
int32_t virtual_owner(int32_t owner) {
  return owner >= 0 ? to_virtual(Space::id, owner) : -to_virtual(Space::group, -owner);
}

int fcntl_of_ids(Next<int(int, int, ...)>& next, int fd, int command, void* argument) {
  if (command == F_NOTIFY) {
    int result = next.get()(fd, command, argument);
    if (result == 0 && host != nullptr) plugin::note_notice(host, fd, static_cast<uint32_t>(pointer(argument)));
    return result;
  }
  if (!active()) return next.get()(fd, command, argument);
  switch (command) {
    case F_SETOWN:
      return stable([&] { return next.get()(fd, command, static_cast<long>(real_target(static_cast<int32_t>(pointer(argument))))); });
    case F_GETOWN: {
      // A group is a negative result and no failure.
      int saved = errno;
      errno = 0;
      int result = next.get()(fd, command);
      if (errno != 0) return result;
      errno = saved;
      return virtual_owner(result);
    }
    case F_SETOWN_EX: {
      f_owner_ex* given = static_cast<f_owner_ex*>(argument);
      if (given == nullptr) break;
      return stable([&] {
        f_owner_ex owner = *given;
        owner.pid = to_real(space_of_owner(static_cast<int>(owner.type)), owner.pid);
        return next.get()(fd, command, &owner);
      });
    }
    case F_GETOWN_EX: {
      int result = next.get()(fd, command, argument);
      f_owner_ex* owner = static_cast<f_owner_ex*>(argument);
      if (result == 0) owner->pid = to_virtual(space_of_owner(static_cast<int>(owner->type)), owner->pid);
      return result;
    }
    case F_GETLK:
    case F_OFD_GETLK: {
      int result = next.get()(fd, command, argument);
      struct flock* lock = static_cast<struct flock*>(argument);
      if (result == 0 && lock->l_type != F_UNLCK && lock->l_pid > 0) lock->l_pid = to_virtual(Space::id, lock->l_pid);
      return result;
    }
    default: break;
  }
  return next.get()(fd, command, argument);
}

/// The ids are ints in the application's memory.
int ioctl_of_ids(Next<int(int, unsigned long, ...)>& next, int fd, unsigned long request, void* argument) {
  int32_t* value = static_cast<int32_t*>(argument);
  int32_t real;
  int result;
  switch (request) {
    case TIOCSPGRP:
      if (value == nullptr) break;
      return stable([&] {
        real = real_group(*value);
        return next.get()(fd, request, &real);
      });
    case FIOSETOWN:
    case SIOCSPGRP:
      if (value == nullptr) break;
      return stable([&] {
        real = real_target(*value);
        return next.get()(fd, request, &real);
      });
    case TIOCGPTN:
      result = next_ioctl.get()(fd, request, argument);
      if (result == 0) *value = shown_terminal(*value);
      return result;
    case TIOCGDEV:
      result = next_ioctl.get()(fd, request, argument);
      if (result == 0) *value = static_cast<int32_t>(shown_terminal_device(static_cast<uint32_t>(*value)));
      return result;
    case TIOCGPGRP:
    case TIOCGSID:
      result = next.get()(fd, request, argument);
      if (result == 0) *value = to_virtual(request == TIOCGSID ? Space::session : Space::group, *value);
      return result;
    case FIOGETOWN:
    case SIOCGPGRP:
      result = next.get()(fd, request, argument);
      if (result == 0) *value = virtual_owner(*value);
      return result;
    default: break;
  }
  return next.get()(fd, request, argument);
}

}  // namespace

extern "C" {

CAIRN_EXPORT int fcntl(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  return fcntl_of_ids(next_fcntl, fd, command, argument);
}

CAIRN_EXPORT int fcntl64(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  return fcntl_of_ids(next_fcntl64, fd, command, argument);
}

CAIRN_EXPORT int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (!active()) return next_ioctl.get()(fd, request, argument);
  return ioctl_of_ids(next_ioctl, fd, request, argument);
}

#if __SIZEOF_POINTER__ == 4
/// For programs with 64-bit times: some requests of sockets have a time in them, and this one converts it.
CAIRN_EXPORT int __ioctl_time64(int fd, unsigned long request, ...) {
  va_list list;
  va_start(list, request);
  void* argument = va_arg(list, void*);
  va_end(list);
  if (!active()) return next_ioctl_time64.get()(fd, request, argument);
  return ioctl_of_ids(next_ioctl_time64, fd, request, argument);
}
CAIRN_EXPORT int __fcntl_time64(int fd, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  return fcntl64(fd, command, argument);
}
#endif

CAIRN_EXPORT pid_t tcgetpgrp(int fd) noexcept {
  int group = 0;
  return ioctl(fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}
CAIRN_EXPORT int tcsetpgrp(int fd, pid_t group) noexcept { return ioctl(fd, TIOCSPGRP, &group); }
CAIRN_EXPORT pid_t tcgetsid(int fd) noexcept {
  int session = 0;
  return ioctl(fd, TIOCGSID, &session) < 0 ? -1 : session;
}

}  // extern "C"

}  // namespace cairn::pid
