// Owns: the names of pseudo-terminals. The kernel gives a new one the lowest free number, so that /dev/pts/4 may be /dev/pts/9 after
// a restart; the application goes on to see 4. Shared names hold both directions for all processes, also those executed later.
// A terminal made after a restart whose number some other has as its virtual one gets a number that nobody has.
// [any] Test: test/probes (terminal/names).
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/next.h"
#include "terminal/pty.h"

#pragma GCC diagnostic ignored "-Wignored-attributes"

// Of <pty.h> and <utmp.h>, which bring in another struct termios than the kernel's.
extern "C" int openpty(int* master, int* slave, char* name, const struct termios* modes, const struct winsize* size) noexcept;
extern "C" int login_tty(int fd) noexcept;

namespace cairn::terminal {

namespace {

constexpr uint32_t real_numbers = plugin::name_space("pty.real");
constexpr uint32_t virtual_numbers = plugin::name_space("pty.virtual");
constexpr int32_t made_step = 1000;

bool renamed = false;  // [any] read without a lock: set while no thread of the application runs

template <typename Function>
using Next = plugin::Next<host, Function>;
#define CAIRN_TERMINAL_NEXT(name) Next<decltype(::name)> next_##name{#name}
CAIRN_TERMINAL_NEXT(ptsname_r);
CAIRN_TERMINAL_NEXT(ttyname_r);
CAIRN_TERMINAL_NEXT(openpty);

const cairn_terminals functions = {sizeof functions, 0, to_virtual, to_real};

/// Puts the virtual name in place of the real one. ERANGE: there is no room.
int translate(char* name, size_t room) {
  const char* digits;
  int64_t number = 0;
  if (!renamed || !plugin::begins(name, "/dev/pts/", &digits) || !plugin::read_number(&digits, 10, &number) || *digits != 0) return 0;
  plugin::Text<32> shown;
  shown.add("/dev/pts/").add(int64_t{to_virtual(static_cast<int32_t>(number))});
  if (shown.size() >= room) return ERANGE;
  memcpy(name, shown.text(), shown.size() + 1);
  return 0;
}

int failed_with(int error) {
  if (error != 0) errno = error;
  return error;
}

}  // namespace

int32_t publish_names() {
  next_ptsname_r.get();
  next_ttyname_r.get();
  next_openpty.get();
  int64_t any = 0;
  renamed = host->get_name(CAIRN_NAMES_ID, 0, &any) == 0;
  return host->publish("cairn.terminals/1", &functions);
}

void begin_names() { renamed = true; }

void name_terminal(int32_t number, int32_t real_number) {
  host->set_name(real_numbers, number, real_number);
  host->set_name(virtual_numbers, real_number, number);
}

int32_t to_real(int32_t number) {
  int64_t real = 0;
  return renamed && host->get_name(real_numbers, number, &real) == 0 ? static_cast<int32_t>(real) : number;
}

int32_t to_virtual(int32_t real_number) {
  int64_t value = 0;
  if (!renamed) return real_number;
  if (host->get_name(virtual_numbers, real_number, &value) == 0) return static_cast<int32_t>(value);
  if (host->get_name(real_numbers, real_number, &value) != 0) return real_number;
  for (int32_t made = real_number + made_step;; made += made_step) {
    if (host->get_name(real_numbers, made, &value) == 0 || host->get_name(virtual_numbers, made, &value) == 0) continue;
    int32_t error = host->claim_name(virtual_numbers, real_number, made, &value);
    if (error == -EEXIST) return static_cast<int32_t>(value);
    if (error == 0) host->set_name(real_numbers, made, real_number);
    return error == 0 ? made : real_number;
  }
}

}  // namespace cairn::terminal

using namespace cairn::terminal;

extern "C" {

CAIRN_EXPORT int ptsname_r(int fd, char* buffer, size_t size) noexcept {
  int error = next_ptsname_r.get()(fd, buffer, size);
  return error != 0 ? error : failed_with(translate(buffer, size));
}

CAIRN_EXPORT int __ptsname_r_chk(int fd, char* buffer, size_t size, size_t) noexcept { return ptsname_r(fd, buffer, size); }

CAIRN_EXPORT char* ptsname(int fd) noexcept {
  static char name[32];
  return ptsname_r(fd, name, sizeof name) == 0 ? name : nullptr;
}

CAIRN_EXPORT int ttyname_r(int fd, char* buffer, size_t size) noexcept {
  int error = next_ttyname_r.get()(fd, buffer, size);
  return error != 0 ? error : failed_with(translate(buffer, size));
}

CAIRN_EXPORT int __ttyname_r_chk(int fd, char* buffer, size_t size, size_t) noexcept { return ttyname_r(fd, buffer, size); }

CAIRN_EXPORT char* ttyname(int fd) noexcept {
  static char name[4096];
  return ttyname_r(fd, name, sizeof name) == 0 ? name : nullptr;
}

CAIRN_EXPORT int openpty(int* master, int* slave, char* name, const struct termios* modes, const struct winsize* size) noexcept {
  auto* next = next_openpty.get();
  if (next == nullptr) {
    errno = ENOSYS;
    return -1;
  }
  int result = next(master, slave, name, modes, size);
  if (result == 0 && name != nullptr) translate(name, 32);
  return result;
}

// libc's own would call its own fork, and give a number of the kernel's.
CAIRN_EXPORT int forkpty(int* master, char* name, const struct termios* modes, const struct winsize* size) noexcept {
  int ends[2];
  if (openpty(&ends[0], &ends[1], name, modes, size) != 0) return -1;
  pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    if (login_tty(ends[1]) != 0) _exit(1);
    return 0;
  }
  int error = errno;
  close(ends[1]);
  if (child < 0) close(ends[0]);
  else *master = ends[0];
  errno = error;
  return child;
}

}  // extern "C"
