// A host for tests of plugins: real system calls, settings that the test gives, memory that is never freed. One for the process.
#pragma once
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "fake_names.h"

namespace cairn::path_test {

using Strings = std::vector<std::string>;

inline std::map<uint32_t, std::vector<std::pair<std::string, std::string>>> settings;
inline std::map<std::string, const void *> extensions;
inline std::string failure;  // what the plugin said by host->fail

inline constexpr int32_t kVirtualPid = 99999;

inline long host_syscall(long number, long a, long b, long c, long d, long e, long f) {
  using Function = long (*)(long, ...);
  static Function next = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "syscall"));  // no plugin's in this program
  int saved = errno;
  long result = next(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  errno = saved;
  return result;
}

/// What a plugin calls in these tests; the rest stays empty.
inline cairn_host make_host() {
  cairn_host made = {};
  made.size = sizeof made;
  made.abi_major = CAIRN_PLUGIN_ABI_MAJOR;
  made.abi_minor = CAIRN_PLUGIN_ABI_MINOR;
  made.syscall = host_syscall;
  made.aside = [](void (*job)(void*), void* context) { job(context); };
  made.log = [](uint32_t, const char *) {};
  made.fail = [](int32_t error, const char *culprit, const char *text) {
    failure = std::string(culprit) + ": " + text;
    return error;
  };
  made.allocate = [](uint64_t bytes) { return calloc(1, bytes); };
  made.setting = [](uint32_t kind, uint32_t index, const char **value) -> const char * {
    const auto &list = settings[kind];
    if (index >= list.size()) return nullptr;
    if (value != nullptr) *value = list[index].second.c_str();
    return list[index].first.c_str();
  };
  made.virtual_pid = []() { return kVirtualPid; };
  made.real_pid = []() { return static_cast<int32_t>(host_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0)); };
  made.next = [](const char *function) { return dlsym(RTLD_NEXT, function); };
  made.publish = [](const char *name, const void *functions) {
    extensions[name] = functions;
    return 0;
  };
  made.extension = [](const char *name) -> const void * { return extensions.count(name) != 0 ? extensions[name] : nullptr; };
  cairn::test::add_names(&made);
  return made;
}
inline const cairn_host host = make_host();

inline std::vector<Strings> rows(const cairn_plugin &plugin, const char *table) {
  std::vector<Strings> result;
  plugin.rows(
      table,
      [](void *context, const cairn_row *row) {
        static_cast<std::vector<Strings> *>(context)->push_back({row->virtual_name, row->real_name, row->before, row->detail});
      },
      &result);
  return result;
}

inline bool has_row(const std::vector<Strings> &rows, const Strings &row) {
  return std::find(rows.begin(), rows.end(), row) != rows.end();
}

}  // namespace cairn::path_test
