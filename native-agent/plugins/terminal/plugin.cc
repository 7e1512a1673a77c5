// The built-in plugin `terminal`: modes and window size of the terminal that the process was started on. A restart on another
// terminal gives that one the modes that the application had set. A real window keeps its size, and the application is told
// by SIGWINCH; a terminal without a size gets the one of the checkpoint. The group in the foreground is there again, too.
// Test: test/probes (terminal).
#include <asm/termbits.h>
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/text.h"

namespace cairn::terminal {
namespace {

const cairn_host* host;

// In the image.
struct {
  bool present;
  struct termios modes;
  struct winsize size;
  int32_t foreground;  // virtual process group; 0: none, or not ours
} saved;
bool resized;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
long pointer(const void* address) { return reinterpret_cast<long>(address); }

/// One of the standard descriptors that is a terminal; -1: none.
int find_terminal(struct termios* modes) {
  for (int fd = 0; fd < 3; ++fd) {
    if (sys(SYS_ioctl, fd, TCGETS, pointer(modes)) == 0) return fd;
  }
  return -1;
}

void save() {
  int fd = find_terminal(&saved.modes);
  saved.present = fd >= 0;
  saved.foreground = 0;
  if (!saved.present) return;
  sys(SYS_ioctl, fd, TIOCGWINSZ, pointer(&saved.size));
  int32_t group = 0;
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  if (sys(SYS_ioctl, fd, TIOCGPGRP, pointer(&group)) == 0 && group > 0) saved.foreground = ids->to_virtual(group);
}

/// Where the restart has the foreground, the group has it that had it; the agent's thread blocks SIGTTOU.
void restore_foreground(int fd) {
  int32_t now = 0;
  int64_t wanted = 0;
  if (saved.foreground == 0 || sys(SYS_ioctl, fd, TIOCGPGRP, pointer(&now)) != 0 || now != sys(SYS_getpgid)) return;
  if (host->get_name(CAIRN_NAMES_GROUP, saved.foreground, &wanted) != 0 || wanted == now) return;
  int32_t group = static_cast<int32_t>(wanted);
  sys(SYS_ioctl, fd, TIOCSPGRP, pointer(&group));
}

void restore() {
  struct termios modes;
  int fd = find_terminal(&modes);
  resized = false;
  if (fd < 0 || !saved.present) return;
  sys(SYS_ioctl, fd, TCSETS, pointer(&saved.modes));
  struct winsize size = {};
  sys(SYS_ioctl, fd, TIOCGWINSZ, pointer(&size));
  if (size.ws_row == 0 && size.ws_col == 0) sys(SYS_ioctl, fd, TIOCSWINSZ, pointer(&saved.size));
  else resized = size.ws_row != saved.size.ws_row || size.ws_col != saved.size.ws_col;
  restore_foreground(fd);
}

const char* const restart_barriers[] = {"modes", nullptr};

/// When the descriptors are back.
int32_t barrier(const char*, uint32_t) {
  restore();
  return 0;
}

int32_t event(uint32_t number, void*) {
  switch (number) {
    case CAIRN_EVENT_PRECHECKPOINT:
      save();
      return 0;
    case CAIRN_EVENT_RUNNING:
      if (resized) sys(SYS_kill, host->real_pid(), SIGWINCH);
      resized = false;
      return 0;
    default:
      return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return 0;
}

}  // namespace
}  // namespace cairn::terminal

extern "C" const struct cairn_plugin cairn_plugin_terminal = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "terminal", "1.0", "Cairn", cairn::terminal::init,
    cairn::terminal::event, nullptr, nullptr, cairn::terminal::restart_barriers, cairn::terminal::barrier,
};
