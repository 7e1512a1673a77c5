// Owns: a host for tests of built-in plugins: real system calls on this process, ids and threads as the test says, and what the
// plugin said by log and fail.
#pragma once
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cairn/plugin.h"
#include "fake_names.h"

namespace cairn::test {

struct FakeHost {
  int32_t virtual_pid = 0;
  int32_t real_pid = 0;
  std::vector<std::pair<int32_t, int32_t>> threads;  // virtual, real
  std::vector<std::string> logged;
  std::string failure;
  std::map<std::string, const void*> extensions;
  // Called before each system call; true: *result is what it gives.
  bool (*intercept)(long number, const long* arguments, long* result) = nullptr;
};

inline FakeHost fake;

/// libc's own, not the wrapper that a plugin in this program defines. A call that fails may set errno.
inline long plain_syscall(long number, long a, long b, long c, long d, long e, long f) {
  using Function = long (*)(long, ...);
  static Function next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "syscall"));
  int saved = errno;
  long result = next(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  errno = saved;
  return result;
}

inline const cairn_host* fake_host() {
  static cairn_host host = [] {
    cairn_host made = {};
    made.size = sizeof made;
    made.abi_major = CAIRN_PLUGIN_ABI_MAJOR;
    made.abi_minor = CAIRN_PLUGIN_ABI_MINOR;
    made.syscall = [](long number, long a, long b, long c, long d, long e, long f) -> long {
      long arguments[] = {a, b, c, d, e, f};
      long result;
      if (fake.intercept != nullptr && fake.intercept(number, arguments, &result)) return result;
      return plain_syscall(number, a, b, c, d, e, f);
    };
    made.aside = [](void (*job)(void*), void* context) { job(context); };
    made.log = [](uint32_t, const char* text) { fake.logged.push_back(text); };
    made.fail = [](int32_t error, const char* culprit, const char* text) {
      fake.failure = std::string(culprit) + ": " + text;
      return error;
    };
    made.allocate = [](uint64_t bytes) -> void* { return bytes % 16 == 0 ? std::calloc(1, bytes) : nullptr; };
    made.setting = [](uint32_t, uint32_t, const char**) -> const char* { return nullptr; };
    made.virtual_pid = [] { return fake.virtual_pid; };
    made.real_pid = [] { return fake.real_pid; };
    made.thread = [](uint32_t index, int32_t* virtual_tid, int32_t* real_tid) -> int32_t {
      if (index >= fake.threads.size()) return 0;
      *virtual_tid = fake.threads[index].first;
      *real_tid = fake.threads[index].second;
      return 1;
    };
    made.next = [](const char* name) { return dlsym(RTLD_NEXT, name); };
    made.own_fd = [](int32_t) -> int32_t { return 0; };
    made.publish = [](const char* name, const void* functions) -> int32_t {
      fake.extensions[name] = functions;
      return 0;
    };
    made.extension = [](const char* name) -> const void* {
      auto found = fake.extensions.find(name);
      return found == fake.extensions.end() ? nullptr : found->second;
    };
    made.hide_fd = [](int32_t fd) {
      auto hidden = static_cast<int32_t>(plain_syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 600, 0, 0, 0));
      if (hidden >= 0) plain_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
      return hidden;
    };
    made.close_fd = [](int32_t fd) { plain_syscall(SYS_close, fd, 0, 0, 0, 0, 0); };
    add_names(&made);
    return made;
  }();
  return &host;
}

inline int32_t own_real_id(long number) { return static_cast<int32_t>(plain_syscall(number, 0, 0, 0, 0, 0, 0)); }

}  // namespace cairn::test
