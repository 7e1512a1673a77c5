// system(3), popen(3) and pclose(3) in a program that was attached. libc's own hand on the program's environment, which does not keep
// the shell in the computation; elsewhere it does, and these are libc's. A stream that was opened before stays libc's.
// [any but signal handlers], as libc's. Test: test/probes/attach.test.ts.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/environment.h"
#include "exec/next.h"

extern "C" char** environ;

namespace cairn::exec {
namespace {

Next<int(const char*)> next_system{"system"};
Next<FILE*(const char*, const char*)> next_popen{"popen"};
Next<int(FILE*)> next_pclose{"pclose"};

struct Stream {
  Stream* next;
  FILE* file;
  pid_t child;
};
Stream* streams = nullptr;
pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;

/// What system() has changed for the whole process, while any call is in progress.
pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
uint32_t calls = 0;
struct sigaction interrupt_before, quit_before;

int start_shell(pid_t* child, const char* command, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes) {
  const char* const words[] = {"sh", "-c", "--", command, nullptr};
  // Through the wrapper: it completes the environment and knows the child's name.
  return posix_spawn(child, "/bin/sh", actions, attributes, const_cast<char* const*>(words), environ);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) != child) {
    if (errno != EINTR) return -1;
  }
  return status;
}

void begin_call() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  pthread_mutex_lock(&calls_lock);
  if (calls++ == 0) {
    sigaction(SIGINT, &ignore, &interrupt_before);
    sigaction(SIGQUIT, &ignore, &quit_before);
  }
  pthread_mutex_unlock(&calls_lock);
}

void end_call() {
  pthread_mutex_lock(&calls_lock);
  if (--calls == 0) {
    sigaction(SIGINT, &interrupt_before, nullptr);
    sigaction(SIGQUIT, &quit_before, nullptr);
  }
  pthread_mutex_unlock(&calls_lock);
}

int run_command(const char* command) {
  sigset_t child_signal, before, defaults;
  sigemptyset(&child_signal);
  sigaddset(&child_signal, SIGCHLD);
  begin_call();
  pthread_sigmask(SIG_BLOCK, &child_signal, &before);
  sigemptyset(&defaults);
  if (interrupt_before.sa_handler != SIG_IGN) sigaddset(&defaults, SIGINT);
  if (quit_before.sa_handler != SIG_IGN) sigaddset(&defaults, SIGQUIT);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &before);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  int error = start_shell(&child, command, nullptr, &attributes);
  posix_spawnattr_destroy(&attributes);
  int status = error == 0 ? wait_for(child) : 127 << 8;
  end_call();
  int kept = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = kept;
  return status;
}

FILE* open_stream(const char* command, bool reads, bool closes) {
  int ends[2];
  auto* stream = static_cast<Stream*>(malloc(sizeof(Stream)));
  if (stream == nullptr) return nullptr;
  if (pipe2(ends, O_CLOEXEC) != 0) {
    free(stream);
    return nullptr;
  }
  int ours = ends[reads ? 0 : 1], theirs = ends[reads ? 1 : 0], number = reads ? 1 : 0;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, theirs, number);
  pthread_mutex_lock(&streams_lock);
  for (const Stream* other = streams; other != nullptr; other = other->next) {
    if (fileno(other->file) != number) posix_spawn_file_actions_addclose(&actions, fileno(other->file));
  }
  stream->file = fdopen(ours, reads ? "r" : "w");
  int error = stream->file == nullptr ? errno : start_shell(&stream->child, command, &actions, nullptr);
  posix_spawn_file_actions_destroy(&actions);
  close(theirs);
  if (error == 0) {
    if (!closes) fcntl(ours, F_SETFD, 0);
    stream->next = streams;
    streams = stream;
  }
  pthread_mutex_unlock(&streams_lock);
  if (error == 0) return stream->file;
  if (stream->file != nullptr) fclose(stream->file);
  else close(ours);
  free(stream);
  errno = error;
  return nullptr;
}

}  // namespace

void prepare_shell() {
  next_system.get();
  next_popen.get();
  next_pclose.get();
}

extern "C" {

CAIRN_EXPORT int system(const char* command) {
  if (!is_attached()) return next_system.get()(command);
  return command == nullptr ? run_command("exit 0") == 0 : run_command(command);
}

CAIRN_EXPORT FILE* popen(const char* command, const char* mode) {
  bool closes = mode[0] != 0 && mode[1] == 'e' && mode[2] == 0;
  if (!is_attached() || (mode[0] != 'r' && mode[0] != 'w') || (mode[1] != 0 && !closes)) return next_popen.get()(command, mode);
  return open_stream(command, mode[0] == 'r', closes);
}

CAIRN_EXPORT int pclose(FILE* file) {
  if (!is_attached()) return next_pclose.get()(file);
  pthread_mutex_lock(&streams_lock);
  Stream** place = &streams;
  while (*place != nullptr && (*place)->file != file) place = &(*place)->next;
  Stream* found = *place;
  if (found != nullptr) *place = found->next;
  pthread_mutex_unlock(&streams_lock);
  if (found == nullptr) return next_pclose.get()(file);
  pid_t child = found->child;
  free(found);
  fclose(file);
  return wait_for(child);
}

}  // extern "C"

}  // namespace cairn::exec
