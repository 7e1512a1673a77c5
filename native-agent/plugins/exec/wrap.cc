// The functions that execute a program. What is executed stays in the computation: it gets the environment for that, and is found
// where this run has it (a program that was built after a restart lies in the run folder).
// [any], also in a child made by vfork: only the stack is used.
#include <alloca.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "common/restricted.h"
#include "exec/environment.h"
#include "exec/next.h"
#include "exec/strict.h"

extern "C" char** environ;

namespace cairn::exec {

const cairn_host* host = nullptr;

namespace {

Next<int(const char*, char* const[], char* const[])> next_execve{"execve"};
Next<int(const char*, char* const[], char* const[])> next_execvpe{"execvpe"};
Next<int(int, char* const[], char* const[])> next_fexecve{"fexecve"};
Next<int(int, const char*, char* const[], char* const[], int)> next_execveat{"execveat"};
using Spawn = int(pid_t*, const char*, const posix_spawn_file_actions_t*, const posix_spawnattr_t*, char* const[], char* const[]);
Next<Spawn> next_posix_spawn{"posix_spawn"};
Next<Spawn> next_posix_spawnp{"posix_spawnp"};

#define COMPLETE(environment) complete(host, environment, alloca(room_for(host, environment)))

/// Where this run has the program: `path` itself, or in `buffer`.
const char* real_program(const char* path, char* buffer) {
  auto* paths = host == nullptr ? nullptr : static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  if (paths == nullptr || path == nullptr || paths->to_real(path, buffer, PATH_MAX) <= 0) return path;
  return strcmp(path, buffer) == 0 ? path : buffer;
}

size_t count_words(char* const* arguments) {
  size_t count = 0;
  while (arguments[count] != nullptr) ++count;
  return count;
}

constexpr size_t more_words = 3;  // with_remote's, and the end

/// The words of cairn-remote in a launcher's place; `words` has room for the arguments and more_words.
void with_remote(const char* remote, const char* path, char* const* arguments, const char** words) {
  words[0] = remote;
  words[1] = "--near";
  words[2] = path;
  size_t count = 0;
  while (arguments[0] != nullptr && arguments[count + 1] != nullptr) words[count + more_words] = arguments[count + 1], ++count;
  words[count + more_words] = nullptr;
}

/// Whether cairn-remote is to be executed instead, which is written to `remote`.
bool goes_elsewhere(const char* path, const char* real, char* const* environment, char* remote) {
  return path != nullptr && real != nullptr && is_launcher(path, environment) && access(real, X_OK) == 0 && remote_program(remote, PATH_MAX);
}

int execute(const char* path, char* const* arguments, char* const* environment) {
  char buffer[PATH_MAX], remote[PATH_MAX];
  const char* program = real_program(path, buffer);
  if (refuses(program)) return -1;
  if (host != nullptr) plugin::publish_restriction(host);
  if (!goes_elsewhere(path, program, environment, remote)) return next_execve.get()(program, arguments, environment);
  auto** words = static_cast<const char**>(alloca((count_words(arguments) + more_words + 1) * sizeof(char*)));
  with_remote(remote, path, arguments, words);
  return next_execve.get()(remote, const_cast<char* const*>(words), environment);
}

/// A file without a format is a script for the shell.
void execute_by_shell(const char* path, char* const* arguments, char* const* environment) {
  size_t count = count_words(arguments);
  auto** words = static_cast<const char**>(alloca((count + 3) * sizeof(char*)));
  words[0] = "/bin/sh";
  words[1] = path;
  for (size_t i = 1; i <= count; ++i) words[i + 1] = arguments[i];
  if (count == 0) words[2] = nullptr;
  execute("/bin/sh", const_cast<char* const*>(words), environment);
}

/// As execvp(3) looks for a program; each candidate is looked for where this run has it.
int search(const char* file, char* const* arguments, char* const* environment) {
  if (file[0] == 0 || strchr(file, '/') != nullptr) {
    execute(file, arguments, environment);
    if (errno == ENOEXEC) execute_by_shell(file, arguments, environment);
    return -1;
  }
  const char* list = "/bin:/usr/bin";
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (strncmp(*entry, "PATH=", 5) == 0) list = *entry + 5;
  }
  bool denied = false;
  for (const char* at = list;; ++at) {
    const char* end = strchrnul(at, ':');
    char candidate[PATH_MAX];
    size_t length = static_cast<size_t>(end - at);
    if (length + strlen(file) + 2 <= sizeof candidate) {
      memcpy(candidate, at, length);
      if (length > 0) candidate[length++] = '/';
      memcpy(candidate + length, file, strlen(file) + 1);
      execute(candidate, arguments, environment);
      if (errno == ENOEXEC) execute_by_shell(candidate, arguments, environment);
      if (errno == EACCES) denied = true;
      else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT) return -1;
    }
    if (*end == 0) break;
    at = end;
  }
  errno = denied ? EACCES : ENOENT;
  return -1;
}

/// The variable arguments of execl and its like, with the first.
#define COLLECT(words, first)                                            \
  size_t count = 1;                                                      \
  va_list arguments;                                                     \
  va_start(arguments, first);                                            \
  while (va_arg(arguments, char*) != nullptr) ++count;                   \
  va_end(arguments);                                                     \
  auto** words = static_cast<char**>(alloca((count + 1) * sizeof(char*))); \
  va_start(arguments, first);                                            \
  words[0] = const_cast<char*>(first);                                   \
  for (size_t i = 1; i <= count; ++i) words[i] = va_arg(arguments, char*);

const cairn_ids* ids() { return host == nullptr ? nullptr : static_cast<const cairn_ids*>(host->extension("cairn.ids/1")); }

/// With the child's name for the application.
int spawned(Spawn* spawn, pid_t* pid, const char* program, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
            char* const arguments[], char* const environment[]) {
  const cairn_ids* names = ids();
  uint32_t moment = names != nullptr ? names->moment() : 0;
  int error = spawn(pid, program, actions, attributes, arguments, environment);
  if (error == 0 && pid != nullptr && names != nullptr) *pid = names->child(*pid, moment);
  return error;
}

}  // namespace

void prepare() {
  next_execve.get();
  next_execvpe.get();
  next_fexecve.get();
  next_execveat.get();
  next_posix_spawn.get();
  next_posix_spawnp.get();
}

extern "C" {

CAIRN_EXPORT int execve(const char* path, char* const arguments[], char* const environment[]) noexcept {
  return execute(path, arguments, COMPLETE(environment));
}
CAIRN_EXPORT int execv(const char* path, char* const arguments[]) noexcept { return execute(path, arguments, COMPLETE(environ)); }
CAIRN_EXPORT int execvp(const char* file, char* const arguments[]) noexcept { return search(file, arguments, COMPLETE(environ)); }
CAIRN_EXPORT int execvpe(const char* file, char* const arguments[], char* const environment[]) noexcept {
  return search(file, arguments, COMPLETE(environment));
}
CAIRN_EXPORT int fexecve(int fd, char* const arguments[], char* const environment[]) noexcept {
  return refuses(nullptr, fd) ? -1 : next_fexecve.get()(fd, arguments, COMPLETE(environment));
}
CAIRN_EXPORT int execveat(int folder, const char* path, char* const arguments[], char* const environment[], int flags) noexcept {
  if (folder == -100 /* AT_FDCWD */ && path != nullptr && path[0] != 0 && flags == 0) return execute(path, arguments, COMPLETE(environment));
  return next_execveat.get()(folder, path, arguments, COMPLETE(environment), flags);
}
CAIRN_EXPORT int execl(const char* path, const char* first, ...) noexcept {
  COLLECT(words, first)
  va_end(arguments);
  return execute(path, words, COMPLETE(environ));
}
CAIRN_EXPORT int execlp(const char* file, const char* first, ...) noexcept {
  COLLECT(words, first)
  va_end(arguments);
  return search(file, words, COMPLETE(environ));
}
CAIRN_EXPORT int execle(const char* path, const char* first, ...) noexcept {
  COLLECT(words, first)
  char* const* environment = va_arg(arguments, char* const*);
  va_end(arguments);
  return execute(path, words, COMPLETE(environment));
}

CAIRN_EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                             char* const arguments[], char* const environment[]) {
  char buffer[PATH_MAX], remote[PATH_MAX];
  const char* real = real_program(path, buffer);
  if (refuses(real)) return EPERM;
  if (!goes_elsewhere(path, real, environment, remote)) return spawned(next_posix_spawn.get(), pid, real, actions, attributes, arguments, COMPLETE(environment));
  auto** words = static_cast<const char**>(alloca((count_words(arguments) + more_words + 1) * sizeof(char*)));
  with_remote(remote, path, arguments, words);
  return spawned(next_posix_spawn.get(), pid, remote, actions, attributes, const_cast<char* const*>(words), COMPLETE(environment));
}
CAIRN_EXPORT int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions, const posix_spawnattr_t* attributes,
                              char* const arguments[], char* const environment[]) {
  char remote[PATH_MAX];
  // Found by its name alone: cairn-remote looks for it as posix_spawnp would, and says what that would say.
  if (!is_launcher(file, environment) || !remote_program(remote, PATH_MAX)) {
    if (refuses_found(file)) return EPERM;
    return spawned(next_posix_spawnp.get(), pid, file, actions, attributes, arguments, COMPLETE(environment));
  }
  auto** words = static_cast<const char**>(alloca((count_words(arguments) + more_words + 1) * sizeof(char*)));
  with_remote(remote, file, arguments, words);
  return spawned(next_posix_spawn.get(), pid, remote, actions, attributes, const_cast<char* const*>(words), COMPLETE(environment));
}

}  // extern "C"

}  // namespace cairn::exec
