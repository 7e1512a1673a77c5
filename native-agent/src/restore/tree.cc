#include "restore/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "restore/report.h"
#include "sys/syscall.h"

namespace cairn::restore {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Text;

struct Process {
  int32_t virtual_pid;
  int32_t parent;
  int32_t session;
  int32_t status;
  bool ended;
  bool terminal;
  bool untold;
};

Process processes[max_processes];
uint32_t count = 0;

void require(bool ok) {
  if (!ok) give_up("the list of processes in the snapshot is damaged");
}

int32_t number(sys::TextReader* reader) {
  uint64_t value = 0;
  reader->skip(' ');
  require(reader->number(&value) && value <= INT32_MAX);
  return static_cast<int32_t>(value);
}

void read(Text list) {
  count = 0;
  sys::TextReader lines(list);
  while (!lines.done()) {
    Text line = lines.until('\n');
    if (line.empty()) continue;
    if (count == max_processes) give_up("the snapshot has more processes than this version can restart");
    bool ended = line.starts_with("Z ");
    require(ended || line.starts_with("P "));
    sys::TextReader fields(line.from(2));
    Process* process = &processes[count++];
    process->virtual_pid = number(&fields);
    process->parent = number(&fields);
    int32_t last = number(&fields);
    uint64_t more = 0;
    fields.skip(' ');
    fields.number(&more);
    *process = {process->virtual_pid, process->parent, ended ? 0 : last, ended ? last : 0, ended, !ended && more != 0, ended && more != 0};
  }
  require(count > 0 && !processes[0].ended);
}

bool is_alive(int32_t virtual_pid) {
  for (uint32_t i = 0; i < count; ++i) {
    if (processes[i].virtual_pid == virtual_pid) return !processes[i].ended;
  }
  return false;
}

long fork_process() {
  long child = call(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (failed(child)) give_up("cannot create a process (limit on processes, ulimit -u?)", child);
  return child;
}

/// Ends as the child had ended.
[[noreturn]] void end_like(int32_t status) {
  if (WIFSIGNALED(status)) {
    struct rlimit64 none = {0, 0};
    call_unchecked(SYS_prlimit64, 0, RLIMIT_CORE, &none, nullptr);
    uint64_t no_signals = 0;
    uint64_t action[4] = {};  // as the kernel takes it: the default action
    call_unchecked(SYS_rt_sigaction, WTERMSIG(status), action, nullptr, 8);
    call_unchecked(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &no_signals, nullptr, 8);
    call_unchecked(SYS_kill, call(SYS_getpid), WTERMSIG(status));
  }
  call_unchecked(SYS_exit_group, WEXITSTATUS(status));
  __builtin_unreachable();
}

/// To the kernel the default action is to ignore the signal: what is pending, because it is blocked, is forgotten. Whoever started the
/// restart may have set that no child becomes a zombie.
void forget_ends() {
  uint64_t action[4] = {};
  call_unchecked(SYS_rt_sigaction, SIGCHLD, action, nullptr, 8);
}

/// Gives the session that the caller leads a new pseudo-terminal as its controlling one.
void take_terminal() {
  long master = call(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0);
  if (failed(master)) give_up("cannot make a pseudo-terminal (/dev/ptmx)", master);
  int unlocked = 0;
  long slave = call(SYS_ioctl, master, TIOCSPTLCK, &unlocked);
  if (!failed(slave)) slave = call(SYS_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (failed(slave)) give_up("cannot open a pseudo-terminal (TIOCGPTPEER, Linux 4.13; is /dev/pts mounted?)", slave);
  long taken = call(SYS_ioctl, slave, TIOCSCTTY, 0);
  if (failed(taken)) give_up("cannot give a session its controlling terminal", taken);
  call_unchecked(SYS_close, slave);
}

/// A process whose parent is no more is made by one that ends: from within its session, if that has a leader.
uint32_t maker_of_orphan(const Process& orphan) {
  for (uint32_t i = 0; i < count; ++i) {
    if (!processes[i].ended && orphan.session != 0 && processes[i].virtual_pid == orphan.session && orphan.session != orphan.virtual_pid) return i;
  }
  return 0;
}

class Maker {
 public:
  Maker(image::EndedChild* ended, uint32_t* ended_count, uint32_t capacity) : ended_(ended), ended_count_(ended_count), capacity_(capacity) {}

  /// Makes what the process at `self` has to make; returns the index of the process that the caller is in the end.
  uint32_t make(uint32_t self) {
    *ended_count_ = 0;
    untold_ = false;
    const Process& own = processes[self];
    // Children of the time before it had a session of its own.
    bool leads = own.session == own.virtual_pid && self != 0;
    for (uint32_t i = 1; leads && i < count; ++i) {
      if (is_child(self, i) && older_session(own, processes[i])) {
        if (fork_process() == 0) return make(i);
      }
    }
    if (leads && failed(call(SYS_setsid))) give_up("cannot give a process its session");
    if (leads && own.terminal) take_terminal();
    for (uint32_t i = 1; i < count; ++i) {
      if (!is_child(self, i) || (leads && older_session(own, processes[i]))) continue;
      if (processes[i].ended) make_ended(processes[i]);
      else if (fork_process() == 0) return make(i);
    }
    for (uint32_t i = 1; i < count; ++i) {
      if (processes[i].ended || processes[i].parent != 0 || maker_of_orphan(processes[i]) != self) continue;
      if (!first_of_lost_session(i)) continue;
      long between = fork_process();
      if (between == 0) {
        uint32_t made = make_orphans(i);
        if (made != count) return make(made);
        call_unchecked(SYS_exit_group, 0);
      }
      call_unchecked(SYS_wait4, between, nullptr, 0, nullptr);
      if (!untold_) forget_ends();
    }
    return self;
  }

 private:
  [[nodiscard]] static bool is_child(uint32_t self, uint32_t i) { return processes[i].parent == processes[self].virtual_pid; }

  static bool older_session(const Process& leader, const Process& child) {
    return !child.ended && child.session != leader.session && child.session != child.virtual_pid;
  }

  /// A session whose leader is no more.
  static bool lost(const Process& process) { return process.session != 0 && !is_alive(process.session); }

  static bool first_of_lost_session(uint32_t i) {
    for (uint32_t earlier = 1; lost(processes[i]) && earlier < i; ++earlier) {
      const Process& other = processes[earlier];
      if (!other.ended && other.parent == 0 && other.session == processes[i].session) return false;
    }
    return true;
  }

  /// In a process that ends at once: makes the orphan, or all of its lost session. The index of the one made, in that one.
  static uint32_t make_orphans(uint32_t first) {
    if (!lost(processes[first])) return fork_process() == 0 ? first : count;
    if (failed(call(SYS_setsid))) give_up("cannot make a session again");
    for (uint32_t i = first; i < count; ++i) {
      const Process& process = processes[i];
      if (process.ended || process.parent != 0 || process.session != processes[first].session) continue;
      if (fork_process() == 0) return i;
    }
    return count;
  }

  /// It has ended when this returns. Nothing is left of the signal, since the application has been told, or is told by the agent; if
  /// neither is so, it stays pending until the agent has put the application's actions in place.
  void make_ended(const Process& process) {
    uint64_t child_signal = uint64_t{1} << (SIGCHLD - 1);
    untold_ = untold_ || process.untold;
    if (process.untold) call_unchecked(SYS_rt_sigprocmask, SIG_BLOCK, &child_signal, nullptr, 8);
    long child = fork_process();
    if (child == 0) end_like(process.status);
    siginfo_t info;
    while (call(SYS_waitid, P_PID, child, &info, WEXITED | WNOWAIT, nullptr) == -EINTR) {
    }
    if (!untold_) forget_ends();
    if (*ended_count_ < capacity_) ended_[(*ended_count_)++] = {process.virtual_pid, static_cast<int32_t>(child)};
  }

  image::EndedChild* ended_;
  uint32_t* ended_count_;
  uint32_t capacity_;
  bool untold_ = false;
};

}  // namespace

uint32_t living_processes(Text list, int32_t* first) {
  read(list);
  *first = processes[0].virtual_pid;
  uint32_t living = 0;
  for (uint32_t i = 0; i < count; ++i) living += processes[i].ended ? 0 : 1;
  return living;
}

int32_t fork_processes(Text list, image::EndedChild* ended, uint32_t* ended_count, uint32_t ended_capacity) {
  read(list);
  forget_ends();
  uint32_t self = Maker(ended, ended_count, ended_capacity).make(0);
  return processes[self].virtual_pid;
}

}  // namespace cairn::restore
