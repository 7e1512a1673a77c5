#include "launch/preparation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch/exact_bytes.h"
#include "launch/supervise.h"

namespace cairn::launch {
namespace {

constexpr int plan_fd = 3;  // in the child
constexpr int failed_status = 126;

bool ignores(int number) {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

[[noreturn]] void execute(char** command, int plan, const sigset_t& mask) {
  // A copy on the number that the plan has already would stay close-on-exec.
  int copy = plan == plan_fd ? dup(plan) : plan;
  if (dup2(copy, plan_fd) != plan_fd) _exit(failed_status);
  closefrom(plan_fd + 1);
  setenv("CAIRN_PLAN", "3", 1);
  // Node.js begins with the default actions.
  setenv("CAIRN_IGNORED", ignores(SIGINT) ? ignores(SIGTERM) ? "SIGINT SIGTERM" : "SIGINT" : ignores(SIGTERM) ? "SIGTERM" : "", 1);
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  execv(command[0], command);
  fprintf(stderr, "cairn: cannot execute %s: %s\n", command[0], strerror(errno));
  _exit(failed_status);
}

/// What was written to `plan`, with a NUL at its end; nullptr: nothing.
char* read_plan(int plan, size_t* size) {
  struct stat status = {};
  if (fstat(plan, &status) != 0 || status.st_size == 0) return nullptr;
  *size = static_cast<size_t>(status.st_size);
  auto* text = static_cast<char*>(malloc(*size + 1));
  if (text == nullptr || pread(plan, text, *size, 0) != status.st_size) return nullptr;
  text[*size] = 0;
  return text;
}

/// The strings of a plan one after the other.
class Strings {
 public:
  Strings(char* text, size_t size) : next_(text), end_(text + size) {}
  char* one() {
    if (next_ >= end_) return nullptr;
    char* found = next_;
    next_ += strlen(next_) + 1;
    return found;
  }
  /// A count and as many strings, with nullptr at the end; nullptr: there are less.
  char** list(int* count) {
    const char* number = one();
    *count = number == nullptr ? -1 : atoi(number);
    if (*count < 0 || *count > end_ - next_) return nullptr;
    auto** result = static_cast<char**>(calloc(static_cast<size_t>(*count) + 1, sizeof(char*)));
    for (int i = 0; result != nullptr && i < *count; ++i) {
      if ((result[i] = one()) == nullptr) return nullptr;
    }
    return result;
  }

 private:
  char* next_;
  char* end_;
};

bool parse(int plan, Preparation* prepared) {
  size_t size = 0;
  char* text = read_plan(plan, &size);
  if (text == nullptr) return false;
  Strings strings(text, size);
  int variables = 0;
  prepared->folder = strings.one();
  char** words = strings.list(&prepared->count);
  prepared->environment = words == nullptr ? nullptr : strings.list(&variables);
  if (prepared->environment == nullptr) return false;
  prepared->words = words;
  return true;
}

}  // namespace

bool is_prepared(int count, char** words) { return count > 2 && strcmp(words[1], "--prepared-by") == 0; }

int prepare(char** command, const sigset_t& mask, Preparation* prepared) {
  int plan = memfd_create("cairn-plan", MFD_CLOEXEC);
  pid_t child = plan < 0 ? -1 : fork();
  if (child < 0) {
    fprintf(stderr, "cairn: cannot start a process: %s\n", strerror(errno));
    return failed_status;
  }
  if (child == 0) execute(command, plan, mask);
  // What does not end or stop the preparation waits, blocked, for the program.
  sigset_t handled;
  sigemptyset(&handled);
  const int passed_on[] = {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
  for (int number : passed_on) sigaddset(&handled, number);
  int status = status_of(supervise(child, Foreground(), handled));
  bool complete = status != 0 || parse(plan, prepared) || lseek(plan, 0, SEEK_END) == 0;
  close(plan);
  if (prepared->words != nullptr) restore_bytes(command, environ, prepared);
  if (complete) return status;
  fprintf(stderr, "cairn: the preparation of the program was cut off\n");
  return failed_status;
}

}  // namespace cairn::launch
