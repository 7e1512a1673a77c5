// cairn-launch: the parent of a computation's root process.
//
//   cairn-launch --socket AGENT_SOCKET --session NAME -- PROGRAM ARGS...
//
// Transparent: the program has this process's descriptors and terminal, gets the signals that are sent here, stops and goes
// on with it under job control, and its status is this one's (128+n for signal n; 126 and 127 as in a shell when it cannot be
// executed). The coordinator learns of the end; when there is none, everything else works all the same.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.pb.h"
#include "sys/futex.h"
#include "wire/channel.h"

namespace {

using cairn::sys::Text;
using cairn::wire::encode_text;

constexpr uint64_t patience_ns = 5'000'000'000;
constexpr int usage_status = 2;

struct Options {
  const char* socket = nullptr;
  const char* session = "";
  char** program = nullptr;
};

bool parse(int count, char** words, Options* options) {
  for (int i = 1; i < count; ++i) {
    if (strcmp(words[i], "--") == 0 && i + 1 < count) {
      options->program = words + i + 1;
      return options->socket != nullptr;
    }
    if (i + 1 == count) return false;
    if (strcmp(words[i], "--socket") == 0) options->socket = words[++i];
    else if (strcmp(words[i], "--session") == 0) options->session = words[++i];
    else return false;
  }
  return false;
}

/// Tells the coordinator how the program ended. Nobody there: nobody to tell.
void report_exit(const Options& options, pid_t child, int status) {
  static char buffers[2][cairn::wire::max_frame + 4];
  cairn::wire::Channel channel;
  channel.use_buffers(buffers[0], buffers[1]);
  if (channel.connect(options.socket) != 0) return;
  struct utsname system = {};
  uname(&system);
  const char* computation_value = getenv("CAIRN_COMPUTATION");
  Text host(system.nodename), build_id(CAIRN_BUILD_ID), computation(computation_value ? computation_value : "");
  cairn_agent_Hello hello = cairn_agent_Hello_init_zero;
  hello.protocol_major = 1;
  hello.build_id = encode_text(&build_id);
  hello.role = cairn_agent_Role_ROLE_LAUNCHER;
  hello.real_pid = getpid();
  hello.host = encode_text(&host);
  hello.session_id = encode_text(&computation);
  if (channel.send(1, cairn_agent_Message_hello_tag, cairn_agent_Hello_fields, &hello) != 0) return;
  cairn::wire::Envelope reply;
  uint64_t deadline = cairn::sys::now_ns() + patience_ns;
  if (channel.receive(&reply, deadline) != 0) return;
  cairn_agent_ProcessExit exit_message = cairn_agent_ProcessExit_init_zero;
  exit_message.real_pid = child;
  exit_message.wait_status = status;
  if (channel.send(0, cairn_agent_Message_process_exit_tag, cairn_agent_ProcessExit_fields, &exit_message) != 0) return;
  // The coordinator closes when it has read it.
  while (channel.receive(&reply, deadline) == 0) {
  }
  channel.close();
}

/// As a shell does: the program's group is in the foreground of our terminal, if ours is.
class Foreground {
 public:
  Foreground() {
    for (int fd = 0; fd <= 2 && terminal_ < 0; ++fd) {
      if (isatty(fd) && tcgetpgrp(fd) == getpgrp()) terminal_ = fd;
    }
  }
  [[nodiscard]] bool have() const { return terminal_ >= 0; }
  void give(pid_t group) const {
    if (terminal_ >= 0) tcsetpgrp(terminal_, group);
  }

 private:
  int terminal_ = -1;
};

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/// The caller's ignored signals, as bin/cairn found them before Node.js changed them (a mask as in /proc/self/status).
void restore_ignored_signals() {
  signal(SIGTTOU, SIG_DFL);
  const char* text = getenv("CAIRN_IGNORED_SIGNALS");
  if (text == nullptr) return;
  unsigned long long mask = strtoull(text, nullptr, 16);
  unsetenv("CAIRN_IGNORED_SIGNALS");
  for (int number = 1; number < 32; ++number) {
    if (number == SIGKILL || number == SIGSTOP) continue;
    signal(number, ((mask >> (number - 1)) & 1) != 0 ? SIG_IGN : SIG_DFL);
  }
}

[[noreturn]] void execute(const Options& options, const Foreground& foreground, const sigset_t& mask) {
  if (foreground.have()) {
    // Both sides do it: whoever comes first, the program never runs in the wrong group.
    setpgid(0, 0);
    foreground.give(getpid());
  }
  restore_ignored_signals();
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execvp(options.program[0], options.program);
  int error = errno;
  fprintf(stderr, "cairn: cannot execute %s: %s\n", options.program[0], strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

bool sent_by_kernel(const siginfo_t& info) { return info.si_code > 0; }

/// Passes signals on until the program has ended: its wait status.
int supervise(pid_t child, const Foreground& foreground, const sigset_t& handled) {
  for (;;) {
    siginfo_t info;
    int number = sigwaitinfo(&handled, &info);
    if (number < 0) continue;
    if (number != SIGCHLD) {
      // What the terminal sends reaches the whole foreground group, the program among it, without us.
      if (!(sent_by_kernel(info) && !foreground.have())) kill(child, number);
      continue;
    }
    int status = 0;
    pid_t changed = 0;
    while ((changed = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
      if (changed != child) continue;
      if (WIFSTOPPED(status)) {
        foreground.give(getpgrp());
        kill(getpid(), SIGSTOP);
        foreground.give(child);
        kill(foreground.have() ? -child : child, SIGCONT);
      } else if (!WIFCONTINUED(status)) {
        foreground.give(getpgrp());
        return status;
      }
    }
  }
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!parse(count, words, &options)) {
    fprintf(stderr, "usage: cairn-launch --socket AGENT_SOCKET --session NAME -- PROGRAM ARGS...\n");
    return usage_status;
  }
  sigset_t handled, before;
  sigemptyset(&handled);
  const int passed_on[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGALRM, SIGPIPE};
  for (int number : passed_on) sigaddset(&handled, number);
  sigprocmask(SIG_BLOCK, &handled, &before);
  signal(SIGTTOU, SIG_IGN);
  Foreground foreground;
  pid_t child = fork();
  if (child < 0) {
    fprintf(stderr, "cairn: cannot start a process: %s\n", strerror(errno));
    return 126;
  }
  if (child == 0) execute(options, foreground, before);
  if (foreground.have()) {
    setpgid(child, child);
    foreground.give(child);
  }
  int status = supervise(child, foreground, handled);
  report_exit(options, child, status);
  return status_of(status);
}
