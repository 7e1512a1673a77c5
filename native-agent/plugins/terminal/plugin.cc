// The built-in plugin `terminal`: modes and window size of the terminal that the process was started on. A restart on another
// terminal gives that one the modes that the application had set. A real window keeps its size, and the application is told
// by SIGWINCH, as is one that draws by itself (lines do not count, as for an editor): the new terminal does not show what it drew.
// A terminal without a size gets the one of the checkpoint. The group in the foreground is there again, too.
// It also takes pseudo-terminals through what comes after all descriptors are there (pty.h).
// Test: test/probes (terminal).
#include <signal.h>

#include "terminal/pty.h"

namespace cairn::terminal {
namespace {

// In the image.
struct {
  bool present;
  struct termios2 modes;
  struct winsize size;
  int32_t foreground;  // virtual process group; 0: none, or not ours
  int32_t number;      // virtual, of /dev/pts/N; negative: it has another name
} saved;
bool redraws;

/// One of the standard descriptors that is a terminal, and none of the computation's own; -1: none.
int find_terminal(struct termios2* modes) {
  for (int fd = 0; fd < 3; ++fd) {
    if (control(fd, TCGETS2, modes) == 0 && !is_inside(number_of(fd))) return fd;
  }
  return -1;
}

void save() {
  int fd = find_terminal(&saved.modes);
  saved.present = fd >= 0;
  saved.foreground = 0;
  if (!saved.present) return;
  saved.number = number_of(fd);
  control(fd, TIOCGWINSZ, &saved.size);
  int32_t group = 0;
  if (control(fd, TIOCGPGRP, &group) == 0 && group > 0) saved.foreground = ids()->to_virtual(group);
}

/// Where the restart has the foreground, the group has it that had it; the agent's thread blocks SIGTTOU.
void restore_foreground(int fd) {
  int32_t now = 0;
  int64_t wanted = 0;
  if (saved.foreground == 0 || control(fd, TIOCGPGRP, &now) != 0 || now != sys(SYS_getpgid)) return;
  if (host->get_name(CAIRN_NAMES_GROUP, saved.foreground, &wanted) != 0 || wanted == now) return;
  int32_t group = static_cast<int32_t>(wanted);
  control(fd, TIOCSPGRP, &group);
}

/// Whoever knows the terminal by its name finds the one of this restart.
void name_again(int fd) {
  int32_t real = number_of(fd);
  if (saved.number >= 0 && real >= 0 && plugin::is_root(host)) name_terminal(saved.number, to_real(real));
}

void restore() {
  struct termios2 modes;
  int fd = find_terminal(&modes);
  redraws = false;
  if (fd < 0 || !saved.present) return;
  name_again(fd);
  control(fd, TCSETS2, &saved.modes);
  struct winsize size = {};
  control(fd, TIOCGWINSZ, &size);
  if (size.ws_row == 0 && size.ws_col == 0) control(fd, TIOCSWINSZ, &saved.size);
  else redraws = size.ws_row != saved.size.ws_row || size.ws_col != saved.size.ws_col;
  bool in_front = saved.foreground == 0 || ids()->group() == saved.foreground;
  if ((saved.modes.c_lflag & ICANON) == 0 && in_front) redraws = true;
  restore_foreground(fd);
}

const char* const restart_barriers[] = {"queues", "modes", nullptr};

/// When the descriptors are back.
int32_t barrier(const char* name, uint32_t) {
  if (plugin::same(name, "queues")) return refill_ptys();
  close_handles();
  restore();
  return 0;
}

int32_t event(uint32_t number, void*) {
  switch (number) {
    case CAIRN_EVENT_PRECHECKPOINT:
      save();
      return save_ptys();
    case CAIRN_EVENT_RUNNING:
      if (redraws) sys(SYS_kill, host->real_pid(), SIGWINCH);
      redraws = false;
      return 0;
    default:
      return 0;
  }
}

int32_t init(const cairn_host*, const char*) { return 0; }

}  // namespace
}  // namespace cairn::terminal

extern "C" const struct cairn_plugin cairn_plugin_terminal = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "terminal", "1.0", "Cairn", cairn::terminal::init,
    cairn::terminal::event, nullptr, nullptr, cairn::terminal::restart_barriers, cairn::terminal::barrier,
};
