#include "restore/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "restore/objects.h"
#include "restore/report.h"
#include "sys/file.h"
#include "sys/proc.h"

namespace cairn::restore {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::Text;

constexpr uint64_t child_signal = uint64_t{1} << (SIGCHLD - 1);

void block_signals() {
  uint64_t all = ~uint64_t{0};
  call_unchecked(SYS_rt_sigprocmask, 2 /* SIG_SETMASK */, &all, nullptr, 8);
}

/// Ends with whoever has made it. `maker`: its id; it may have gone already.
void end_with(int64_t maker) {
  call_unchecked(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (call(SYS_getppid) != maker) call_unchecked(SYS_exit_group, 1);
}

int64_t copy_process() { return call(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }

/// Not all kernels have the list of a process's children: else all processes are looked at.
void kill_children() {
  auto end = [](Text id) {
    uint64_t pid = 0;
    if (sys::TextReader(id).number(&pid)) call_unchecked(SYS_kill, pid, SIGKILL);
  };
  static char list[64 * 1024];
  long size = sys::read_all("/proc/thread-self/children", list, sizeof list);
  if (!failed(size)) {
    sys::TextReader reader(Text(list, static_cast<size_t>(size)));
    while (!reader.done()) end(reader.until(' '));
    return;
  }
  const auto own = static_cast<uint64_t>(call(SYS_getpid));
  (void)sys::for_each_entry("/proc", [&](Text name) {
    sys::TextBuffer<64> path;
    if (name.data[0] >= '0' && name.data[0] <= '9' && sys::stat_field(path.add("/proc/").add(name).add("/stat").c_str(), sys::stat_parent) == own) end(name);
    return true;
  });
}

/// Whose parents have ended are children of this process then.
void end_descendants() {
  for (;;) {
    kill_children();
    int64_t ended = call(SYS_wait4, -1, nullptr, __WALL, nullptr);
    if (failed(ended) && ended != -EINTR) return;
    while (call(SYS_wait4, -1, nullptr, __WALL | WNOHANG, nullptr) > 0) {
    }
  }
}

void say(int control, Text text) { (void)sys::write_all(control, text.data, text.size); }

/// The next path of an order; false: nobody asks for any more.
bool read_path(int control, char* path, size_t capacity) {
  for (size_t size = 0; size < capacity;) {
    int64_t count = call(SYS_read, control, path + size, 1);
    if (count == -EINTR) continue;
    if (count != 1) return false;
    if (path[size] == 0) return true;
    // What was to end a run that had ended.
    if (size > 0 || path[0] == '/') ++size;
  }
  return false;
}

bool read_order(int control, RunOrder* order) {
  return read_path(control, order->socket, sizeof order->socket) && read_path(control, order->error_file, sizeof order->error_file) &&
         read_path(control, order->console, sizeof order->console);
}

void connect_output(const char* path, int as) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  sys::TextBuilder(address.sun_path, sizeof address.sun_path).add(path);
  int64_t connection = call(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
  int64_t result = failed(connection) ? connection : call(SYS_connect, connection, &address, sizeof address);
  if (!failed(result)) result = call(SYS_dup3, connection, as, 0);
  if (failed(result)) give_up("cannot connect a run's output", result);
  call_unchecked(SYS_close, connection);
}

/// Until the run is over. False: nobody asks for any more.
bool await_end(int control, int64_t run, int children, int* status) {
  bool asked = true;
  for (bool lives = true; lives;) {
    struct pollfd waiting[2] = {{children, POLLIN, 0}, {control, POLLIN, 0}};
    if (failed(call(SYS_ppoll, waiting, asked ? 2 : 1, nullptr, nullptr, 8))) continue;
    if (waiting[1].revents != 0) {
      char byte;
      asked = call(SYS_read, control, &byte, 1) == 1;
      call_unchecked(SYS_kill, run, SIGKILL);
    }
    if (waiting[0].revents == 0) continue;
    struct signalfd_siginfo news[16];
    call_unchecked(SYS_read, children, news, sizeof news);
    // Also those that its processes have left behind.
    int found = 0;
    for (int64_t ended = 0; (ended = call(SYS_wait4, -1, &found, __WALL | WNOHANG, nullptr)) > 0;) {
      if (ended != run) continue;
      *status = found;
      lives = false;
    }
  }
  return asked;
}

}  // namespace

void leave_guard(int control) {
  block_signals();
  call_unchecked(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const int64_t self = call(SYS_getpid);
  int64_t child = copy_process();
  if (failed(child)) give_up("cannot create a process (limit on processes, ulimit -u?)", child);
  if (child == 0) {
    end_with(self);
    return;
  }
  // Whoever asks is to see its end.
  call_unchecked(SYS_close, control);
  int status = 0;
  while (call(SYS_wait4, child, &status, __WALL, nullptr) == -EINTR) {
  }
  end_descendants();
  call_unchecked(SYS_exit_group, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void serve_runs(int control, RunOrder* order) {
  block_signals();
  call_unchecked(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // An ignored signal would be told to nobody.
  uint64_t action[4] = {};
  call_unchecked(SYS_rt_sigaction, SIGCHLD, action, nullptr, 8);
  int64_t children = call(SYS_signalfd4, -1, &child_signal, 8, O_CLOEXEC);
  if (failed(children)) give_up("cannot be told of a run's end", children);
  const int64_t self = call(SYS_getpid);
  say(control, "ready\n");
  for (bool asked = true; asked;) {
    if (!read_order(control, order)) break;
    int64_t run = copy_process();
    if (run == 0) {
      call_unchecked(SYS_close, children);
      call_unchecked(SYS_close, control);
      report_to(order->error_file);
      end_with(self);
      call_unchecked(SYS_setpgid, 0, 0);
      connect_output(order->console, 1);
      connect_output(order->console, 2);
      return;
    }
    sys::TextBuffer<128> text;
    if (failed(run)) {
      say(control, text.add("failed cannot create a process (error ").number(-run).add(")\n").text());
      continue;
    }
    say(control, text.add("began ").number(run).add('\n').text());
    int status = 0;
    asked = await_end(control, run, static_cast<int>(children), &status);
    end_descendants();
    remove_objects(order->socket);
    text.clear();
    say(control, text.add("ended ").number(status).add('\n').text());
  }
  end_descendants();
  call_unchecked(SYS_exit_group, 0);
}

}  // namespace cairn::restore
