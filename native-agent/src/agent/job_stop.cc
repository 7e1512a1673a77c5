#include "agent/job_stop.h"

#include <signal.h>
#include <sys/wait.h>

#include "cairn/plugin.h"
#include "events/names.h"
#include "sys/file.h"
#include "sys/futex.h"

namespace cairn::agent {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Text;

// A space of the shared names, the core's own: virtual pid of a process that a restart stops → 1. Nobody removes it: a parent may
// look late, when the agent of its child is let run already.
constexpr uint32_t stopped_processes = 900;
constexpr uint32_t max_events = 256;
constexpr uint64_t patience_ns = 2'000'000'000;
constexpr long signal_delay_ns = 5'000'000;  // the kernel sends SIGCHLD a little after a stop can be waited for

// In the image.
int32_t stop_signal = 0;
int32_t untold[max_events];  // virtual pids of children
uint32_t untold_count = 0;

uint64_t parent_of(int64_t real_pid) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(static_cast<uint64_t>(real_pid)).add("/stat");
  char line[1024];
  long size = sys::read_all(path.c_str(), line, sizeof line);
  size_t name_end = failed(size) ? 0 : static_cast<size_t>(size);
  while (name_end > 0 && line[name_end - 1] != ')') --name_end;
  if (name_end == 0) return 0;
  sys::TextReader reader(Text(line, static_cast<size_t>(size)).from(name_end + 1));
  reader.until(' ');
  uint64_t parent = 0;
  reader.number(&parent);
  return parent;
}

bool is_untold(int64_t virtual_pid) {
  for (uint32_t i = 0; i < untold_count; ++i) {
    if (untold[i] == virtual_pid) return true;
  }
  return false;
}

/// Takes a signal away that a restart has caused; those of the application's past are queued again later.
void drop_signal(int number, long wait_ns = 0) {
  uint64_t set = uint64_t{1} << (number - 1);
  struct timespec wait = {0, wait_ns};
  while (call(SYS_rt_sigtimedwait, &set, nullptr, &wait, 8) > 0) wait.tv_nsec = 0;
}

/// Until the whole child is stopped. `known`: nobody is to wait for that stop again.
void await_stop(int64_t real_pid, bool known, uint64_t deadline) {
  int options = WSTOPPED | WNOHANG | __WALL | (known ? 0 : WNOWAIT);
  for (siginfo_t info = {};;) {
    if (failed(call(SYS_waitid, P_PID, real_pid, &info, options, nullptr)) || info.si_pid != 0) return;
    if (sys::now_ns() >= deadline) return;
    struct timespec pause = {0, 200'000};
    call_unchecked(SYS_nanosleep, &pause, nullptr);
  }
}

}  // namespace

void record_job_stop(int32_t signal) { stop_signal = signal; }
bool was_stopped() { return stop_signal != 0; }

void forget_stop_events() { untold_count = 0; }

void note_stop_event(int32_t virtual_pid, int32_t real_pid) {
  siginfo_t info = {};
  long result = call(SYS_waitid, P_PID, real_pid, &info, WSTOPPED | WNOHANG | WNOWAIT | __WALL, nullptr);
  if (!failed(result) && info.si_pid != 0 && untold_count < max_events) untold[untold_count++] = virtual_pid;
}

void announce_job_stop(int32_t virtual_pid) {
  if (was_stopped()) (void)events::set_name(stopped_processes, virtual_pid, 1);
}

void take_known_stops() {
  auto self = static_cast<uint64_t>(call(SYS_getpid));
  uint32_t index = 0;
  int64_t virtual_pid = 0, value = 0, real_pid = 0;
  uint64_t deadline = sys::now_ns() + patience_ns;
  while (events::next_name(stopped_processes, &index, &virtual_pid, &value) == 0) {
    if (events::get_name(CAIRN_NAMES_PROCESS, virtual_pid, &real_pid) != 0 || parent_of(real_pid) != self) continue;
    await_stop(real_pid, !is_untold(virtual_pid), deadline);
    drop_signal(SIGCHLD, signal_delay_ns);
  }
}

void stop_process() {
  drop_signal(SIGCONT);
  call_unchecked(SYS_kill, call(SYS_getpid), SIGSTOP);
}

bool continued() {
  uint64_t pending = 0;
  return call(SYS_rt_sigpending, &pending, 8) == 0 && (pending >> (SIGCONT - 1) & 1) != 0;
}

}  // namespace cairn::agent
