// pidfd: which process it is, by its virtual id. One whose process has ended and been waited for refers to nobody; it gets one of a
// process that is made for that and ends at once.
#include <sched.h>
#include <sys/wait.h>

#include "event/events.h"

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif

namespace cairn::event {
namespace {

bool ended(int32_t real) {
  Text<64> path;
  path.add("/proc/").add(int64_t{real}).add("/stat");
  char line[512];
  long size = plugin::read_file(host, path.text(), line, sizeof line);
  for (long at = size - 1; at > 0; --at) {
    if (line[at] == ')') return at + 2 >= size || line[at + 2] == 'Z' || line[at + 2] == 'X';
  }
  return true;
}

/// A process of the computation, or a thread of this one.
bool inside(int32_t virtual_id) {
  int64_t ignored = 0;
  if (host->get_name(CAIRN_NAMES_PROCESS, virtual_id, &ignored) == 0 || virtual_id == host->virtual_pid()) return true;
  int32_t virtual_tid, real_tid;
  for (uint32_t i = 0; host->thread(i, &virtual_tid, &real_tid) == 1; ++i) {
    if (virtual_tid == virtual_id) return true;
  }
  return false;
}

int32_t of_nobody() {
  int32_t fd = -1;
  // Without an exit signal: nobody is told.
  long child = sys(SYS_clone, CLONE_PIDFD, 0, pointer(&fd));
  if (child == 0) {
    sys(SYS_exit_group, 0);
    __builtin_unreachable();
  }
  if (child < 0) return static_cast<int32_t>(child);
  while (sys(SYS_wait4, child, 0, __WALL, 0) == -EINTR) {}
  return fd;
}

}  // namespace

int32_t save_process(Instance* instance) {
  Lines lines(host, info_path(instance->fd).text());
  if (lines.error() != 0) return fail(lines.error(), *instance, "its process cannot be read from /proc");
  int32_t real = -1;
  while (const char* line = lines.next()) {
    const char* rest;
    if (plugin::begins(line, "Pid:", &rest)) real = static_cast<int32_t>(number_at(&rest, 10));
  }
  instance->pid = -1;
  if (real <= 0) return 0;
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  instance->pid = ids->to_virtual(real);
  if (instance->elsewhere || inside(instance->pid) || ended(real)) return 0;
  return fail(-ENOTSUP, *instance, "its process is not one of the computation, and will not be there at a restart; close it before the checkpoint. The computation runs on");
}

int32_t make_process(const Instance& instance) {
  if (instance.pid < 0) return of_nobody();
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  // O_EXCL: of a thread (PIDFD_THREAD).
  long fd = sys(SYS_pidfd_open, ids->to_real(instance.pid), instance.flags & (O_NONBLOCK | O_EXCL));
  return fd == -ESRCH ? of_nobody() : static_cast<int32_t>(fd);
}

}  // namespace cairn::event
