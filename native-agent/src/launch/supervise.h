// Standing between a child and whoever started us: signals, job control, the terminal's foreground group, the status.
#pragma once
#include <signal.h>
#include <sys/types.h>

namespace cairn::launch {

/// As a shell does: the program's group is in the foreground of our terminal, if ours is.
class Foreground {
 public:
  /// None: the child stays in our own group.
  Foreground() = default;
  static Foreground ours();
  [[nodiscard]] bool have() const { return terminal_ >= 0; }
  void give(pid_t group) const;

 private:
  int terminal_ = -1;
};

/// Passes the signals of `handled`, which are blocked, on until the child has ended: its wait status.
int supervise(pid_t child, const Foreground& foreground, const sigset_t& handled);

/// As a shell gives it: 128+n for signal n.
int status_of(int wait_status);

}  // namespace cairn::launch
