// Owns: whether this process has restricted itself by Landlock (landlock_restrict_self), which the kernel tells nobody and no restart could
// do again. The wrapper of syscall(2) notes it, since libc has no function for that; a child of fork has it with its memory, and a program
// that has just begun finds it by the shared names: under its own id, or its parent's, with the moment when that process began, since an
// id may be given again, and the moment when it restricted itself, since a child that was there before is free.
// [any]; the plugin `process` refuses a checkpoint. Test: test/probes/refusals.test.ts.
#pragma once
#include <sys/syscall.h>
#include <time.h>

#include <initializer_list>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/handles.h"
#include "common/text.h"

#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

namespace cairn::plugin {

constexpr uint32_t landlock_names = name_space("process.landlock");         // id → when it began
constexpr uint32_t landlock_moments = name_space("process.landlock.since");  // id → since when; both in the kernel's ticks

/// Part of the image.
inline bool restricted_by_landlock = false;
inline int64_t restricted_since = 0;

/// When a process began, in the kernel's ticks; an exec leaves it as it is. 0: it is not there.
inline int64_t moment_of_beginning(const cairn_host* host, int64_t process) {
  Text<64> path;
  path.add("/proc/").add(process).add("/stat");
  char text[1024] = {};
  if (read_file(host, path.text(), text, sizeof text - 1) <= 0) return 0;
  const char* at = text;
  for (const char* look = text; *look != 0; ++look) {
    if (*look == ')') at = look + 1;
  }
  // Behind the name come the letter of the state and 18 numbers.
  for (int field = 0; field < 20 && *at != 0; ++field) {
    while (*at != 0 && *at != ' ') ++at;
    while (*at == ' ') ++at;
  }
  int64_t moment = 0;
  return read_number(&at, 10, &moment) ? moment : 0;
}

/// As processes' beginnings are told.
inline int64_t moment_of_now(const cairn_host* host) {
  constexpr int64_t ticks_in_a_second = 100;
  struct timespec up = {};
  host->syscall(SYS_clock_gettime, CLOCK_BOOTTIME, reinterpret_cast<long>(&up), 0, 0, 0, 0);
  return int64_t{up.tv_sec} * ticks_in_a_second + up.tv_nsec / (1'000'000'000 / ticks_in_a_second);
}

inline void publish_restriction_since(const cairn_host* host, int64_t since) {
  int64_t self = host->syscall(SYS_getpid, 0, 0, 0, 0, 0, 0);
  (void)host->set_name(landlock_moments, self, since);
  (void)host->set_name(landlock_names, self, moment_of_beginning(host, self));
}

/// So that programs which this process becomes, or starts, are known. Also before each exec: a child of fork has another id.
inline void publish_restriction(const cairn_host* host) {
  if (restricted_by_landlock) publish_restriction_since(host, restricted_since);
}

inline void note_restriction(const cairn_host* host) {
  const int64_t now = moment_of_now(host);
  // A child of vfork has its parent's memory, and has restricted only itself.
  if (host->syscall(SYS_getpid, 0, 0, 0, 0, 0, 0) != host->real_pid()) return publish_restriction_since(host, now);
  if (!restricted_by_landlock) restricted_since = now;
  restricted_by_landlock = true;
  publish_restriction(host);
}

/// In a program that has just begun.
inline void find_restriction(const cairn_host* host) {
  const int64_t self = host->syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), parent = host->syscall(SYS_getppid, 0, 0, 0, 0, 0, 0);
  const int64_t began = moment_of_beginning(host, self);
  for (int64_t process : {self, parent}) {
    int64_t moment = 0, since = 0;
    if (host->get_name(landlock_names, process, &moment) != 0 || moment != moment_of_beginning(host, process)) continue;
    (void)host->get_name(landlock_moments, process, &since);
    if (process == parent && began < since) continue;
    restricted_since = process == self ? since : began;
    restricted_by_landlock = true;
    return publish_restriction(host);
  }
}

}  // namespace cairn::plugin
