// Owns: system, popen and pclose, within which libc keeps the number of a child and waits for it by that number, whatever a restart
// made of it. system is done here with the functions that know virtual ids; a stream of popen is libc's, and its pclose finds the
// number of now. [any] Test: test/probes/processes/shell.c.
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/streams.h"
#include "pid/host.h"
#include "pid/ids.h"

extern "C" char** environ;

namespace cairn::pid {

CAIRN_PID_NEXT(popen);
CAIRN_PID_NEXT(pclose);

void prepare_shell() {
  next_popen.get();
  next_pclose.get();
}

namespace {

// ---- system -------------------------------------------------------------------------------------------------------------

/// What is ignored while any thread is in system(), and was before the first one came.
pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
uint32_t inside = 0;
struct sigaction interrupt_before, quit_before;

struct Command {
  pid_t child;
  sigset_t mask;
};

void ignore_signals(Command* command) {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_mutex_lock(&lock);
  if (inside++ == 0) {
    sigaction(SIGINT, &ignore, &interrupt_before);
    sigaction(SIGQUIT, &ignore, &quit_before);
  }
  pthread_sigmask(SIG_BLOCK, &child, &command->mask);
  pthread_mutex_unlock(&lock);
}

void heed_signals(const Command* command) {
  pthread_mutex_lock(&lock);
  if (--inside == 0) {
    sigaction(SIGINT, &interrupt_before, nullptr);
    sigaction(SIGQUIT, &quit_before, nullptr);
  }
  pthread_mutex_unlock(&lock);
  pthread_sigmask(SIG_SETMASK, &command->mask, nullptr);
}

/// The thread was cancelled: the command ends with it.
void cancelled(void* argument) {
  auto* command = static_cast<Command*>(argument);
  int status;
  int state;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
  kill(command->child, SIGKILL);
  while (waitpid(command->child, &status, 0) < 0 && errno == EINTR) continue;
  heed_signals(command);
}

int start(const char* text, Command* command) {
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  if (interrupt_before.sa_handler != SIG_IGN) sigaddset(&defaults, SIGINT);
  if (quit_before.sa_handler != SIG_IGN) sigaddset(&defaults, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &command->mask);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  char* const words[] = {const_cast<char*>("sh"), const_cast<char*>("-c"), const_cast<char*>(text), nullptr};
  int error = posix_spawn(&command->child, "/bin/sh", nullptr, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  return error;
}

int run(const char* text) {
  Command command = {};
  int status = -1;
  ignore_signals(&command);
  int error = start(text, &command);
  if (error == 0) {
    pthread_cleanup_push(cancelled, &command);
    pid_t found;
    do found = waitpid(command.child, &status, 0);
    while (found < 0 && errno == EINTR);
    error = found < 0 ? errno : 0;
    if (found != command.child) status = -1;
    pthread_cleanup_pop(0);
  } else {
    status = W_EXITCODE(127, 0);
  }
  heed_signals(&command);
  if (error != 0) errno = error;
  return status;
}

// ---- popen --------------------------------------------------------------------------------------------------------------

/// libc keeps the child's number behind its stream, which is followed by the table of its functions.
pid_t* number_of(FILE* stream) {
  return reinterpret_cast<pid_t*>(reinterpret_cast<char*>(stream) + sizeof(FILE) + sizeof(void*));
}

/// Streams of popen; one that was closed by fclose stays until its place is used again, and is never asked for.
struct Stream {
  Stream* next;
  FILE* stream;  // nullptr: free
  pid_t kept;    // what libc keeps
  pid_t child;   // its virtual id
};
Stream* streams = nullptr;

Stream* find(FILE* stream) {
  for (Stream* one = __atomic_load_n(&streams, __ATOMIC_ACQUIRE); one != nullptr; one = one->next) {
    if (__atomic_load_n(&one->stream, __ATOMIC_ACQUIRE) == stream) return one;
  }
  return nullptr;
}

Stream* take_free(FILE* stream) {
  if (Stream* same = find(stream)) return same;
  for (Stream* one = __atomic_load_n(&streams, __ATOMIC_ACQUIRE); one != nullptr; one = one->next) {
    FILE* none = nullptr;
    if (__atomic_compare_exchange_n(&one->stream, &none, stream, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return one;
  }
  auto* made = static_cast<Stream*>(host == nullptr ? nullptr : host->allocate(sizeof(Stream)));
  if (made == nullptr) return nullptr;
  made->stream = stream;
  made->next = __atomic_load_n(&streams, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&streams, &made->next, made, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
  return made;
}

const plugin::Streams* attached_streams() {
  return host == nullptr ? nullptr : static_cast<const plugin::Streams*>(host->extension("cairn.streams/1"));
}

void note(FILE* stream, uint32_t before) {
  Stream* one = take_free(stream);
  if (one == nullptr) return;
  one->kept = *number_of(stream);
  one->child = child_name(one->kept, before);
}

}  // namespace

extern "C" {

CAIRN_EXPORT int system(const char* command) {
  return command == nullptr ? run("exit 0") == 0 : run(command);
}

CAIRN_EXPORT FILE* popen(const char* command, const char* mode) {
  const plugin::Streams* attached = attached_streams();
  FILE* own = nullptr;
  if (attached != nullptr && attached->open(command, mode, &own) == 1) return own;
  uint32_t before = generation();
  FILE* stream = next_popen.get()(command, mode);
  if (stream != nullptr) note(stream, before);
  return stream;
}

CAIRN_EXPORT int pclose(FILE* stream) {
  const plugin::Streams* attached = attached_streams();
  int32_t status = 0;
  if (attached != nullptr && attached->close(stream, &status) == 1) return status;
  Stream* one = find(stream);
  if (one != nullptr) {
    if (active() && *number_of(stream) == one->kept) *number_of(stream) = real_child(one->child);
    __atomic_store_n(&one->stream, nullptr, __ATOMIC_RELEASE);
  }
  return next_pclose.get()(stream);
}

}  // extern "C"

}  // namespace cairn::pid
