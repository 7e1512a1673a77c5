// Which process saves a pseudo-terminal, and what it is like. What lies in it has to be taken out to be seen, and is put back at once,
// while all threads are stopped (pty_queue.cc). Nothing of it can be seen by the application but one thing: descriptors of an
// edge-triggered epoll are reported as readable once more. Context: quiesced.
#include <poll.h>

#include "terminal/pty.h"

namespace cairn::terminal {

Table table;

namespace {

constexpr uint32_t slave_major = 136;  // /dev/pts/N
constexpr uint32_t tty_major = 5;      // minor 0: /dev/tty, minor 2: /dev/ptmx
plugin::Pool contents;
int32_t own_terminal = -1;  // of this operation; -2: not yet looked

int32_t fail(long error, int32_t number, const char* what) {
  plugin::Text<512> text, name;
  name.add("/dev/pts/").add(int64_t{number});
  text.add("the terminal ").add(name.text()).add(": ").add(what).add("; the computation runs on");
  return host->fail(static_cast<int32_t>(error), name.text(), text.text());
}

long open_controlling() { return sys(SYS_openat, AT_FDCWD, pointer("/dev/tty"), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0); }

int32_t controlling_number() {
  if (own_terminal != -2) return own_terminal;
  long fd = open_controlling();
  own_terminal = fd < 0 ? -1 : number_of(fd);
  if (fd >= 0) sys(SYS_close, fd);
  return own_terminal;
}

Pty* find(int32_t number) {
  for (uint32_t i = 0; i < table.count; ++i) {
    if (table.ptys[i].number == number) return &table.ptys[i];
  }
  if (table.count == max_ptys) return nullptr;
  Pty* pty = &table.ptys[table.count++];
  *pty = {};
  pty->number = number;
  pty->master = pty->slave = pty->handle = -1;
  return pty;
}

int32_t elect(Pty* pty) {
  int32_t result = plugin::elected(host, savers, pty->number);
  if (result < 0) return fail(result, pty->number, "the processes cannot agree on who saves it");
  pty->saved_here = result == 1;
  return 0;
}

int16_t poll_now(long fd, int16_t events) {
  struct pollfd one = {static_cast<int32_t>(fd), events, 0};
  struct timespec at_once = {};
  return sys(SYS_ppoll, pointer(&one), 1, pointer(&at_once), 0, 8) == 1 ? one.revents : int16_t{0};
}

/// Lets a terminal be opened that is exclusive: by a descriptor of whoever has it open.
long open_exclusive(const Pty& pty, long master) {
  int64_t holder = 0, real = 0;
  if (host->get_name(slaves, pty.number, &holder) != 0 || host->get_name(CAIRN_NAMES_PROCESS, holder >> 32, &real) != 0) return -EBUSY;
  bool here = (holder >> 32) == host->virtual_pid();
  int32_t fd = here ? static_cast<int32_t>(holder & 0xffffffff) : plugin::take_descriptor(host, real, static_cast<int32_t>(holder & 0xffffffff));
  if (fd < 0) return fd;
  control(fd, TIOCNXCL, 0L);
  long slave = control(master, TIOCGPTPEER, long{O_RDWR | O_NOCTTY | O_NONBLOCK});
  if (slave < 0) control(fd, TIOCEXCL, 0L);
  if (!here) sys(SYS_close, fd);
  return slave;
}

/// In a background group of its own controlling terminal nobody may read from it.
class Foreground {
 public:
  Foreground(long slave, int32_t number) : slave_(slave) {
    if (slave < 0 || controlling_number() != number || control(slave, TIOCGPGRP, &before_) != 0) return;
    int32_t own = static_cast<int32_t>(sys(SYS_getpgid, 0));
    changed_ = own != before_ && control(slave, TIOCSPGRP, &own) == 0;
  }
  Foreground(const Foreground&) = delete;
  Foreground& operator=(const Foreground&) = delete;
  ~Foreground() {
    if (changed_) control(slave_, TIOCSPGRP, &before_);
  }

 private:
  long slave_;
  int32_t before_ = 0;
  bool changed_ = false;
};

int32_t virtual_group(int32_t real) {
  int64_t value = 0;
  if (real <= 0) return 0;
  return host->get_name(CAIRN_NAMES_REAL_GROUP, real, &value) == 0 ? static_cast<int32_t>(value) : ids()->to_virtual(real);
}

void look_at(Pty* pty, long master) {
  int32_t value = 0;
  control(master, TCGETS2, &pty->modes);
  control(master, TIOCGWINSZ, &pty->size);
  pty->foreground = control(master, TIOCGPGRP, &value) == 0 ? virtual_group(value) : 0;
  value = 0;
  pty->locked = control(master, TIOCGPTLCK, &value) == 0 && value != 0;
  value = 0;
  pty->packets = control(master, TIOCGPKT, &value) == 0 && value != 0;
  pty->packet_state = 0;
  int16_t seen = poll_now(master, POLLIN | POLLPRI);
  pty->left = (seen & POLLHUP) != 0;
  int64_t holder = 0;
  pty->untouched = !pty->left && host->get_name(slaves, pty->number, &holder) != 0;
  // What a packet would say is taken out first; with the mode it goes.
  if (pty->packets && (seen & POLLPRI) != 0) sys(SYS_read, master, pointer(&pty->packet_state), 1);
}

int32_t save(Pty* pty) {
  long master = pty->master;
  pty->queues = {};
  pty->stopped = Stopped::no;
  pty->exclusive = false;
  pty->master_flags = static_cast<uint32_t>(sys(SYS_fcntl, master, F_GETFL));
  // Nobody else looks at the flag: all that have this open file description are stopped.
  sys(SYS_fcntl, master, F_SETFL, pty->master_flags | O_NONBLOCK);
  look_at(pty, master);
  int32_t off = 0, on = 1;
  if (pty->packets) control(master, TIOCPKT, &off);
  if (pty->locked) control(master, TIOCSPTLCK, &off);
  long slave = -1;
  if (!pty->untouched) {
    slave = control(master, TIOCGPTPEER, long{O_RDWR | O_NOCTTY | O_NONBLOCK});
    if (slave == -EBUSY) {
      slave = open_exclusive(*pty, master);
      pty->exclusive = slave >= 0;
    }
    int32_t exclusive = 0;  // nobody is told so who is privileged
    if (slave >= 0 && control(slave, TIOCGEXCL, &exclusive) == 0 && exclusive != 0) pty->exclusive = true;
  }
  int32_t error = pty->untouched || slave >= 0 ? 0 : fail(slave, pty->number, "it cannot be opened to look at what lies in it (TIOCGPTPEER, Linux 4.13)");
  if (error == 0) {
    struct stat64 node = {};
    if (slave >= 0 && sys(SYS_fstat, slave, pointer(&node)) == 0) pty->node_mode = node.st_mode & 07777;
    Foreground foreground(slave, pty->number);
    error = drain(pty, static_cast<int32_t>(master), static_cast<int32_t>(slave), &contents);
    int32_t put_back = refill(*pty, static_cast<int32_t>(master), static_cast<int32_t>(slave));
    if (error == 0 && put_back != 0) error = put_back;
    if (error != 0) error = fail(error, pty->number, "what lies in it cannot be looked at");
  } else if (pty->packets) {
    control(master, TIOCPKT, &on);
  }
  if (slave >= 0 && pty->exclusive) control(slave, TIOCEXCL, 0L);
  if (slave >= 0) sys(SYS_close, slave);
  if (pty->locked) control(master, TIOCSPTLCK, &on);
  sys(SYS_fcntl, master, F_SETFL, pty->master_flags);
  return error;
}

void save_controlling() {
  table.controlling = -1;
  table.leads = false;
  table.foreground = 0;
  long fd = open_controlling();
  table.detached = fd < 0;
  if (fd < 0) return;
  int32_t number = number_of(fd), group = 0;
  if (number >= 0 && is_inside(number)) {
    table.controlling = number;
    table.leads = sys(SYS_getsid, 0) == sys(SYS_getpid);
    if (control(fd, TIOCGPGRP, &group) == 0) table.foreground = virtual_group(group);
  }
  sys(SYS_close, fd);
}

}  // namespace

int32_t number_of(long fd) {
  uint32_t device = 0;
  long error = control(fd, TIOCGDEV, &device);
  if (error < 0) return error == -EIO ? -EIO : -1;
  if ((device >> 8 & 0xfff) != slave_major) return -1;
  return to_virtual(static_cast<int32_t>((device & 0xff) | (device >> 12 & 0xfff00)));
}

bool is_inside(int32_t number) {
  int64_t value = 0;
  return number >= 0 && (host->get_name(masters, number, &value) == 0 || host->get_name(handles, number, &value) == 0);
}

void forget_ptys() {
  table.count = 0;
  own_terminal = -2;
  // All processes do that before one of them is stopped.
  constexpr uint32_t spaces[] = {masters, slaves, savers, handles};
  for (uint32_t space : spaces) plugin::clear_names(host, space);
}

int32_t claim_end(cairn_descriptor* offer) {
  if (!S_ISCHR(offer->mode) || (offer->status_flags & O_PATH) != 0) return 0;
  bool is_master = major(offer->rdev) == tty_major && minor(offer->rdev) == 2;
  bool is_own = major(offer->rdev) == tty_major && minor(offer->rdev) == 0;
  if (!is_master && !is_own && major(offer->rdev) != slave_major) return 0;
  int32_t number = number_of(offer->fd);
  if (number == -EIO) {
    offer->token = token_of(End::hung_up, 0);
    return 1;
  }
  if (is_own && number < 0) {
    offer->token = token_of(End::own, -1);
    return 1;
  }
  if (number < 0) return 0;
  Pty* pty = find(number);
  if (pty == nullptr) return host->fail(-EMFILE, "terminals", "more than 1024 pseudo-terminals in one process; the computation runs on");
  offer->token = token_of(is_master ? End::master : is_own ? End::own : End::slave, number);
  if (!is_master) {
    if (!is_own) pty->slave = offer->fd;
    host->set_name(slaves, number, (static_cast<int64_t>(host->virtual_pid()) << 32) | offer->fd);
    return 1;
  }
  pty->master = offer->fd;
  host->set_name(masters, number, host->virtual_pid());
  // Who has it as its controlling terminal saves it only where nobody else can.
  if (controlling_number() != number) {
    if (int32_t error = elect(pty)) return error;
  }
  return 1;
}

int32_t save_ptys() {
  contents.reset();
  save_controlling();
  for (uint32_t i = 0; i < table.count; ++i) {
    Pty* pty = &table.ptys[i];
    if (pty->slave >= 0 && !is_inside(pty->number)) {
      return fail(-ENOTSUP, pty->number, "a process of the computation has it open, but it belongs to a program outside, which cannot be brought back with it; close it, or end what uses it (detach a client that was attached from there)");
    }
    if (pty->master < 0) continue;
    if (!pty->saved_here) {
      if (int32_t error = elect(pty)) return error;
    }
    if (!pty->saved_here) continue;
    if (int32_t error = save(pty)) return error;
  }
  return 0;
}

}  // namespace cairn::terminal
