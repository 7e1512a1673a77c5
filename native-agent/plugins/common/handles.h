// Owns: how a process of the computation hands a descriptor to others at a restart: it keeps a hidden one and publishes (real pid,
// number) under a shared name; whoever needs it takes a copy. [restoring] A handle stays open until its maker closes it.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

namespace cairn::plugin {

/// A space of shared names of one's own, by a hash of what it holds.
constexpr uint32_t name_space(const char* text) {
  uint32_t hash = 2166136261u;
  while (*text != 0) hash = (hash ^ static_cast<uint8_t>(*text++)) * 16777619u;
  return CAIRN_NAMES_OTHERS + hash % 1'000'000'000u;
}

/// The key of what has this device and inode.
inline int64_t file_key(uint64_t device, uint64_t inode) { return static_cast<int64_t>(inode ^ (device << 44)); }

/// The key of a path.
inline int64_t path_key(const char* path) {
  uint64_t hash = 14695981039346656037u;
  for (; *path != 0; ++path) hash = (hash ^ static_cast<uint8_t>(*path)) * 1099511628211u;
  return static_cast<int64_t>(hash >> 1);
}

inline void clear_names(const cairn_host* host, uint32_t space) {
  uint32_t index = 0;
  int64_t key, value;
  while (host->next_name(space, &index, &key, &value) == 0) host->remove_name(space, key);
}

/// Ids have other names than the kernel's from the program's start on: the computation was restarted, or this is not its first host.
inline bool has_other_names(const cairn_host* host) {
  int64_t value = 0;
  return host->get_name(CAIRN_NAMES_ID, 0, &value) == 0 || (host->get_name(CAIRN_NAMES_HOST, CAIRN_HOST_NUMBER, &value) == 0 && value != 0);
}

/// True if this process is the one that does what one of them has to do.
inline int32_t elected(const cairn_host* host, uint32_t space, int64_t key) {
  int64_t holder = 0;
  int32_t result = host->claim_name(space, key, host->virtual_pid(), &holder);
  // Without shared names a process knows of itself alone.
  return result == 0 || result == -ENOENT || (result == -EEXIST && holder == host->virtual_pid()) ? 1 : result == -EEXIST ? 0 : result;
}

/// Hidden descriptors have high numbers, and there may be many for a while: as many as the hard limit allows. The plugin `process`
/// gives the process its own limits back later.
inline void allow_many_handles(const cairn_host* host) {
  struct rlimit64 limit = {};
  auto address = reinterpret_cast<long>(&limit);
  if (host->syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, address, 0, 0) < 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  host->syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, address, 0, 0, 0);
}

/// Hides a descriptor where no number of the application's is in its way: its new number; -EMFILE: there is no room (it is closed).
inline int32_t hide_handle(const cairn_host* host, long fd) {
  int32_t hidden = host->hide_fd(static_cast<int32_t>(fd));
  if (hidden != fd || fd >= 512) return hidden;
  host->close_fd(hidden);
  return -EMFILE;
}

inline int32_t publish_handle(const cairn_host* host, uint32_t space, int64_t key, int32_t fd) {
  return host->set_name(space, key, (static_cast<int64_t>(host->real_pid()) << 32) | fd);
}

/// A copy of another process's descriptor (pidfd_getfd, Linux 5.6), or -errno. Real pid.
inline int32_t take_descriptor(const cairn_host* host, long pid, int32_t fd) {
  long process = host->syscall(SYS_pidfd_open, pid, 0, 0, 0, 0, 0);
  if (process < 0) return static_cast<int32_t>(process);
  long taken = host->syscall(SYS_pidfd_getfd, process, fd, 0, 0, 0, 0);
  host->syscall(SYS_close, process, 0, 0, 0, 0, 0);
  return static_cast<int32_t>(taken);
}

/// A new descriptor of what was published, or -errno; -ENOENT: nobody published it.
inline int32_t take_handle(const cairn_host* host, uint32_t space, int64_t key) {
  int64_t holder = 0;
  if (int32_t error = host->get_name(space, key, &holder)) return error;
  long fd = holder & 0xffffffff;
  long pid = holder >> 32;
  if (pid == host->real_pid()) return static_cast<int32_t>(host->syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0, 0, 0, 0));
  return take_descriptor(host, pid, static_cast<int32_t>(fd));
}

}  // namespace cairn::plugin
