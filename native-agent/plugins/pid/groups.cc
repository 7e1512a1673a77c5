#include "pid/groups.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {
namespace {

int32_t ask(long number) { return static_cast<int32_t>(raw(number, 0)); }

bool known(Space space, int32_t virtual_id) {
  int64_t real_id;
  return host->get_name(space == Space::group ? CAIRN_NAMES_GROUP : CAIRN_NAMES_SESSION, virtual_id, &real_id) == 0;
}

/// A process that only leads the group until the others have joined: no exit signal, so that nobody is told of its end.
int32_t make_stand_in(int32_t group) {
  int ends[2];
  long result = raw(SYS_pipe2, pointer(ends), 0);
  if (result < 0) return static_cast<int32_t>(result);
  long child = raw(SYS_clone, 0, 0, 0, 0, 0);
  if (child == 0) {
    char byte;
    raw(SYS_setpgid, 0, 0);
    raw(SYS_close, ends[1]);
    raw(SYS_read, ends[0], pointer(&byte), 1);  // until this end is closed everywhere
    raw(SYS_exit_group, 0);
  }
  raw(SYS_close, ends[0]);
  if (child < 0) {
    raw(SYS_close, ends[1]);
    return static_cast<int32_t>(child);
  }
  raw(SYS_setpgid, child, child);
  share(Space::group, group, static_cast<int32_t>(child));
  return host->hide_fd(ends[1]);
}

// While restoring: the stand-in's pipe and id.
int32_t stand_in_pipe = -1;
int32_t stand_in = 0;

}  // namespace

void begin_groups(const State& state) {
  stand_in_pipe = -1;
  stand_in = 0;
  host->set_name(CAIRN_NAMES_ID, 0, 0);  // the computation has been restarted: names count, also for programs to come
  if (!plugin::is_root(host)) return;
  // Led by a process outside the computation, or by none: whoever restarts it gave others.
  if (state.group.virtual_id != state.process.virtual_id) share(Space::group, state.group.virtual_id, ask(SYS_getpgid));
  if (state.session.virtual_id != state.process.virtual_id) share(Space::session, state.session.virtual_id, ask(SYS_getsid));
  // Others read in /proc whose child the first one is. Not the other way: nobody in the computation has that name.
  if (state.parent.virtual_id > 1 && state.parent.real_id > 1) host->set_name(CAIRN_NAMES_REAL_ID, state.parent.real_id, state.parent.virtual_id);
}

int32_t lead_group(const State& state) {
  int32_t real_id = state.process.real_id;
  if (ask(SYS_getsid) == real_id && state.session.virtual_id == state.process.virtual_id) share(Space::session, state.process.virtual_id, real_id);
  else if (!known(Space::session, state.session.virtual_id) && !known(Space::group, state.session.virtual_id)) {
    share(Space::session, state.session.virtual_id, ask(SYS_getsid));
  }
  if (state.group.virtual_id == state.process.virtual_id) {
    if (ask(SYS_getpgid) != real_id) raw(SYS_setpgid, 0, 0);
    share(Space::group, state.group.virtual_id, ask(SYS_getpgid));
    return 0;
  }
  if (known(Space::group, state.group.virtual_id)) return 0;
  int64_t leader = 0;
  if (host->get_name(CAIRN_NAMES_PROCESS, state.group.virtual_id, &leader) == 0) return 0;  // it does that itself
  int64_t holder = 0;
  if (host->claim_name(CAIRN_NAMES_GROUP, state.group.virtual_id, 0, &holder) != 0) return 0;
  stand_in_pipe = make_stand_in(state.group.virtual_id);
  if (stand_in_pipe < 0) return host->fail(stand_in_pipe, "process group", "A process group that had lost its leader cannot be made again.");
  stand_in = to_real(Space::group, state.group.virtual_id);
  return 0;
}

int32_t join_group(const State& state) {
  int32_t wanted = to_real(Space::group, state.group.virtual_id);
  if (wanted > 0 && ask(SYS_getpgid) != wanted) {
    long result = raw(SYS_setpgid, 0, wanted);
    if (result < 0) return host->fail(static_cast<int32_t>(result), "setpgid", "A process cannot join its process group again.");
  }
  return 0;
}

void end_stand_in() {
  if (stand_in_pipe < 0) return;
  host->close_fd(stand_in_pipe);
  stand_in_pipe = -1;
  raw(SYS_wait4, stand_in, 0, __WALL, 0);
}

}  // namespace cairn::pid
