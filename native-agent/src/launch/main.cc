// cairn-launch: the parent of a computation's root process.
//
//   cairn-launch --socket AGENT_SOCKET --session NAME [--host NUMBER] [--standard-only] [--detach] [--strict] -- PROGRAM ARGS...
//   cairn-launch --prepared-by COMMAND...       these words, the environment and the folder come from COMMAND: preparation.h
//   cairn-launch --keep-running TID             see keep_running.h
//
// Transparent: the program has this process's descriptors (with --standard-only just 0, 1 and 2) and terminal, gets the signals
// that are sent here, stops and goes on with it under job control, and its status is this one's (128+n for signal n; 126 and 127
// as in a shell when it cannot be executed). With --detach the program goes on by itself instead, in a session of its own and without
// anybody's terminal or pipes. The coordinator learns of the end; when there is none, everything else works all the same.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent.pb.h"
#include "launch/keep_running.h"
#include "launch/preparation.h"
#include "launch/strict.h"
#include "launch/supervise.h"
#include "sys/futex.h"
#include "wire/channel.h"

namespace {

using cairn::launch::Foreground;
using cairn::launch::status_of;
using cairn::launch::supervise;
using cairn::sys::Text;
using cairn::wire::encode_text;

constexpr uint64_t patience_ns = 5'000'000'000;
constexpr int usage_status = 2;
constexpr int first_other = 3;  // descriptors after the standard ones

struct Options {
  const char* socket = nullptr;
  const char* session = "";
  char** program = nullptr;
  bool standard_only = false;
  bool detach = false;
  unsigned host = 0;
  bool strict = false;
};

bool parse(int count, char** words, Options* options) {
  for (int i = 1; i < count; ++i) {
    if (strcmp(words[i], "--") == 0 && i + 1 < count) {
      options->program = words + i + 1;
      return options->socket != nullptr;
    }
    if (strcmp(words[i], "--standard-only") == 0) {
      options->standard_only = true;
      continue;
    }
    if (strcmp(words[i], "--detach") == 0) {
      options->detach = options->standard_only = true;
      continue;
    }
    if (strcmp(words[i], "--strict") == 0) {
      options->strict = true;
      continue;
    }
    if (i + 1 == count) return false;
    if (strcmp(words[i], "--host") == 0) options->host = static_cast<unsigned>(atoi(words[++i]));
    else if (strcmp(words[i], "--socket") == 0) options->socket = words[++i];
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
  hello.host_number = options.host;
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

/// What the caller does with the two signals that we treat our own way.
struct CallersActions {
  struct sigaction child, output;
  void keep() {
    struct sigaction ours = {};
    ours.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &ours, &child);  // ignored, nothing could be waited for
    ours.sa_handler = SIG_IGN;
    sigaction(SIGTTOU, &ours, &output);
  }
  void give_back() const {
    sigaction(SIGCHLD, &child, nullptr);
    sigaction(SIGTTOU, &output, nullptr);
  }
};

[[noreturn]] void execute(const Options& options, const Foreground& foreground, const CallersActions& actions, const sigset_t& mask) {
  if (foreground.have()) {
    // Both sides do it: whoever comes first, the program never runs in the wrong group.
    setpgid(0, 0);
    foreground.give(getpid());
  }
  if (options.detach) {
    setsid();
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < first_other; ++fd) dup2(nothing, fd);
  }
  if (options.standard_only) closefrom(first_other);
  actions.give_back();
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  if (options.strict && !cairn::launch::forbid_unsavable()) {
    fprintf(stderr, "cairn: --strict is not possible on this system: %s\n", strerror(errno));
    _exit(126);
  }
  execvp(options.program[0], options.program);
  int error = errno;
  fprintf(stderr, "cairn: cannot execute %s: %s\n", options.program[0], strerror(error));
  _exit(error == ENOENT ? 127 : 126);
}

}  // namespace

int main(int count, char** words) {
  if (count == 3 && strcmp(words[1], "--keep-running") == 0) return cairn::launch::keep_running(words[2]);
  sigset_t handled, before;
  sigemptyset(&handled);
  const int passed_on[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP, SIGALRM, SIGPIPE};
  for (int number : passed_on) sigaddset(&handled, number);
  sigprocmask(SIG_BLOCK, &handled, &before);
  CallersActions actions;
  actions.keep();
  Options options;
  if (cairn::launch::Preparation prepared; cairn::launch::is_prepared(count, words)) {
    int status = cairn::launch::prepare(words + 2, before, &prepared);
    if (prepared.words == nullptr) return status;
    if (chdir(prepared.folder) != 0) {
      fprintf(stderr, "cairn: cannot enter %s: %s\n", prepared.folder, strerror(errno));
      return 126;
    }
    environ = prepared.environment;
    count = prepared.count;
    words = prepared.words;
  }
  if (!parse(count, words, &options)) {
    fprintf(stderr, "usage: cairn-launch --socket AGENT_SOCKET --session NAME [--host NUMBER] [--standard-only] [--detach] [--strict] -- PROGRAM ARGS...\n");
    return usage_status;
  }
  Foreground foreground = options.detach ? Foreground() : Foreground::ours();
  pid_t child = fork();
  if (child < 0) {
    fprintf(stderr, "cairn: cannot start a process: %s\n", strerror(errno));
    return 126;
  }
  if (child == 0) execute(options, foreground, actions, before);
  if (options.detach) return 0;
  // The ends of pipes are the program's alone: who reads from it sees when it closes them.
  closefrom(first_other);
  if (foreground.have()) {
    setpgid(child, child);
    foreground.give(child);
  }
  int status = supervise(child, foreground, handled);
  report_exit(options, child, status);
  return status_of(status);
}
