// popen(3) and pclose(3) in a program that was attached (common/streams.h). A stream that was opened before stays libc's.
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

#include "common/streams.h"
#include "exec/environment.h"
#include "exec/next.h"

extern "C" char** environ;

namespace cairn::exec {
namespace {

struct Stream {
  Stream* next;
  FILE* file;
  pid_t child;
};
Stream* streams = nullptr;
pthread_mutex_t streams_lock = PTHREAD_MUTEX_INITIALIZER;

int start_shell(pid_t* child, const char* command, const posix_spawn_file_actions_t* actions) {
  const char* const words[] = {"sh", "-c", "--", command, nullptr};
  // Through the wrapper: it completes the environment and knows the child's name.
  return posix_spawn(child, "/bin/sh", actions, nullptr, const_cast<char* const*>(words), environ);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) != child) {
    if (errno != EINTR) return -1;
  }
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
  int error = stream->file == nullptr ? errno : start_shell(&stream->child, command, &actions);
  posix_spawn_file_actions_destroy(&actions);
  ::close(theirs);
  if (error == 0) {
    if (!closes) fcntl(ours, F_SETFD, 0);
    stream->next = streams;
    streams = stream;
  }
  pthread_mutex_unlock(&streams_lock);
  if (error == 0) return stream->file;
  if (stream->file != nullptr) fclose(stream->file);
  else ::close(ours);
  free(stream);
  errno = error;
  return nullptr;
}

int32_t open(const char* command, const char* mode, FILE** stream) {
  bool closes = mode[0] != 0 && mode[1] == 'e' && mode[2] == 0;
  if ((mode[0] != 'r' && mode[0] != 'w') || (mode[1] != 0 && !closes)) return 0;
  *stream = open_stream(command, mode[0] == 'r', closes);
  return 1;
}

int32_t close(FILE* file, int32_t* status) {
  pthread_mutex_lock(&streams_lock);
  Stream** place = &streams;
  while (*place != nullptr && (*place)->file != file) place = &(*place)->next;
  Stream* found = *place;
  if (found != nullptr) *place = found->next;
  pthread_mutex_unlock(&streams_lock);
  if (found == nullptr) return 0;
  pid_t child = found->child;
  free(found);
  fclose(file);
  *status = wait_for(child);
  return 1;
}

const plugin::Streams functions = {sizeof functions, open, close};

}  // namespace

int32_t publish_streams() { return is_attached() ? host->publish("cairn.streams/1", &functions) : 0; }

}  // namespace cairn::exec
