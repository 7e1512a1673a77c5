// Brings pseudo-terminals back: one process makes each, the others take its master's end from there and open the slave's by it.
// Steps, with barriers between them: what cairn-restore made for sessions is taken over (event RESTART), the others are made, the
// group in front is set, descriptors are given out (plugin descriptor), queues are filled, and what was open for the restart only
// is closed. Context: restoring.
#include <signal.h>

#include "terminal/pty.h"

namespace cairn::terminal {
namespace {

int32_t fail(long error, int32_t number, const char* what) {
  plugin::Text<256> text, name;
  name.add("/dev/pts/").add(int64_t{number});
  text.add("the terminal ").add(name.text()).add(" ").add(what);
  return host->fail(static_cast<int32_t>(error), name.text(), text.text());
}

/// How the kernel marks what was opened by a name (on x86-64 libc's O_LARGEFILE is 0); TIOCGPTPEER does not.
constexpr uint32_t opened_by_name = 0100000;

// The master's end that cairn-restore made for the session that this process leads, or -1.
int32_t session_handle = -1;

/// Hides a new master's end, and lets the others find it.
int32_t hand_out(int32_t number, long master, int32_t* handle) {
  int32_t real = 0, off = 0;
  if (long error = control(master, TIOCGPTN, &real); error < 0) return fail(error, number, "has no number");
  control(master, TIOCSPTLCK, &off);
  *handle = plugin::hide_handle(host, master);
  if (*handle < 0) return fail(-EMFILE, number, "cannot be brought back: there are more than the limit of open files allows (ulimit -n)");
  name_terminal(number, real);
  int32_t error = plugin::publish_handle(host, handles, number, *handle);
  return error < 0 && error != -ENOENT ? fail(error, number, "cannot be handed out to the other processes") : 0;
}

/// The open descriptor of a master's end whose terminal is that of the session which this process leads, or -1.
long find_left_open() {
  long self = sys(SYS_getpid);
  if (sys(SYS_getsid, 0) != self) return -1;
  for (long fd = 3; fd < 1024; ++fd) {
    struct stat64 status = {};
    int32_t session = 0;
    if (sys(SYS_fstat, fd, pointer(&status)) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) continue;
    if (host->own_fd(static_cast<int32_t>(fd)) != 0) continue;
    if (control(fd, TIOCGSID, &session) == 0 && session == self) return fd;
  }
  return -1;
}

/// Waits for nothing: takes a signal that has come meanwhile away. Those of the application's past are queued again later.
void drop_signal(int number) {
  uint64_t set = uint64_t{1} << (number - 1);
  struct timespec at_once = {};
  while (sys(SYS_rt_sigtimedwait, pointer(&set), 0, pointer(&at_once), 8) > 0) {}
}

/// A new terminal whose master's end is closed: what the slave's end of one that was hung up is like.
int32_t open_hung_up(uint32_t flags) {
  long master = sys(SYS_openat, AT_FDCWD, pointer("/dev/ptmx"), O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
  if (master < 0) return static_cast<int32_t>(master);
  int32_t off = 0;
  control(master, TIOCSPTLCK, &off);
  long slave = control(master, TIOCGPTPEER, static_cast<long>((flags & O_ACCMODE) | O_NOCTTY));
  sys(SYS_close, master);
  return static_cast<int32_t>(slave);
}

int32_t open_slave(int32_t number, uint32_t flags) {
  int32_t master = plugin::take_handle(host, handles, number);
  if (master < 0) return master;
  auto access = static_cast<long>((flags & O_ACCMODE) | O_NOCTTY | O_NONBLOCK);
  int32_t real = 0;
  long slave = -ENOENT;
  if ((flags & opened_by_name) != 0 && control(master, TIOCGPTN, &real) == 0) {
    plugin::Text<32> name;
    name.add("/dev/pts/").add(int64_t{real});
    slave = sys(SYS_openat, AT_FDCWD, pointer(name.text()), access, 0);
  }
  if (slave < 0) slave = control(master, TIOCGPTPEER, access);
  sys(SYS_close, master);
  return static_cast<int32_t>(slave);
}

int32_t open_own(int32_t number, uint32_t flags) {
  // The controlling terminal of another process, which was inherited over setsid(2), has only its own name.
  if (number >= 0 && is_inside(number) && table.controlling != number) return open_slave(number, flags);
  return static_cast<int32_t>(sys(SYS_openat, AT_FDCWD, pointer("/dev/tty"), (flags & O_ACCMODE) | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0));
}

int32_t refill_one(const Pty& pty) {
  int32_t master = pty.master, on = 1, off = 0;
  sys(SYS_fcntl, master, F_SETFL, pty.master_flags | O_NONBLOCK);
  control(master, TIOCSPTLCK, &off);
  long slave = pty.untouched ? -1 : control(master, TIOCGPTPEER, long{O_RDWR | O_NOCTTY | O_NONBLOCK});
  if (slave < 0 && !pty.untouched) return fail(slave, pty.number, "cannot be opened");
  int32_t error = refill(pty, master, static_cast<int32_t>(slave));
  if (slave >= 0) {
    sys(SYS_fchmod, slave, pty.node_mode);
    if (pty.exclusive) control(slave, TIOCEXCL, 0L);
    sys(SYS_close, slave);
  }
  if (pty.locked) control(master, TIOCSPTLCK, &on);
  sys(SYS_fcntl, master, F_SETFL, pty.master_flags);
  return error != 0 ? fail(error, pty.number, "cannot be given back what lay in it") : 0;
}

}  // namespace

int32_t adopt_terminal() {
  session_handle = -1;
  for (uint32_t i = 0; i < table.count; ++i) table.ptys[i].handle = -1;
  if (table.controlling < 0 || !table.leads) return 0;
  long master = find_left_open();
  return master < 0 ? 0 : hand_out(table.controlling, master, &session_handle);
}

int32_t make_ptys() {
  for (uint32_t i = 0; i < table.count; ++i) {
    Pty* pty = &table.ptys[i];
    if (pty->master < 0 || !pty->saved_here) continue;
    int32_t master = plugin::take_handle(host, handles, pty->number);
    if (master == -ENOENT) {
      long made = sys(SYS_openat, AT_FDCWD, pointer("/dev/ptmx"), O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
      if (made < 0) return fail(made, pty->number, "cannot be made again (/dev/ptmx; kernel.pty.max)");
      if (int32_t error = hand_out(pty->number, made, &pty->handle)) return error;
      master = static_cast<int32_t>(sys(SYS_fcntl, pty->handle, F_DUPFD_CLOEXEC, 0));
    }
    if (master < 0) return fail(master, pty->number, "cannot be taken over from the leader of its session");
    control(master, TCSETS2, &pty->modes);
    control(master, TIOCSWINSZ, &pty->size);
    sys(SYS_close, master);
  }
  return 0;
}

int32_t set_foreground() {
  // The new size was told to the group that is in front until here.
  if (table.controlling >= 0) drop_signal(SIGWINCH);
  long fd = table.leads || table.detached ? sys(SYS_openat, AT_FDCWD, pointer("/dev/tty"), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0) : -1;
  if (fd < 0) return 0;
  int64_t group = 0;
  bool leader = sys(SYS_getsid, 0) == sys(SYS_getpid);
  if (table.detached && !leader && is_inside(number_of(fd))) control(fd, TIOCNOTTY, 0L);
  if (table.leads && table.controlling >= 0 && table.foreground != 0 && host->get_name(CAIRN_NAMES_GROUP, table.foreground, &group) == 0) {
    auto real = static_cast<int32_t>(group);
    control(fd, TIOCSPGRP, &real);
  }
  sys(SYS_close, fd);
  return 0;
}

int32_t open_end(cairn_descriptor* wanted) {
  int32_t number = number_in(*wanted);
  int32_t fd = -1;
  switch (end_of(*wanted)) {
    case End::master: fd = plugin::take_handle(host, handles, number); break;
    case End::slave: fd = open_slave(number, wanted->status_flags); break;
    case End::hung_up: fd = open_hung_up(wanted->status_flags); break;
    case End::own: fd = open_own(number, wanted->status_flags); break;
  }
  if (fd < 0) return number >= 0 ? fail(fd, number, "cannot be opened again") : host->fail(fd, "/dev/tty", "the controlling terminal cannot be opened: restart in a terminal");
  sys(SYS_fcntl, fd, F_SETFL, wanted->status_flags);
  wanted->fd = fd;
  return 0;
}

int32_t refill_ptys() {
  for (uint32_t i = 0; i < table.count; ++i) {
    const Pty& pty = table.ptys[i];
    if (pty.master < 0 || !pty.saved_here) continue;
    if (int32_t error = refill_one(pty)) return error;
  }
  return 0;
}

void close_handles() {
  if (session_handle >= 0) host->close_fd(session_handle);
  session_handle = -1;
  for (uint32_t i = 0; i < table.count; ++i) {
    Pty* pty = &table.ptys[i];
    if (pty->handle >= 0) host->close_fd(pty->handle);
    pty->handle = -1;
  }
}

}  // namespace cairn::terminal
