// Owns: which folders tell of changes by a signal (F_NOTIFY of fcntl), which the kernel tells nobody: the wrapper of fcntl notes it, and the
// plugin `event` sets it again at a restart. Only ever written where a program uses that. [any] Test: test/probes/events/notices.c.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/kernel.h"

namespace cairn::plugin {

struct Notice {
  uint32_t taken;
  int32_t fd;
  uint32_t mask;  // 0: none any more
  uint64_t device;
  uint64_t inode;
};
constexpr uint32_t max_notices = 256;
// Part of the image.
inline Notice notices[max_notices];
inline uint32_t notices_missed = 0;

/// fcntl(2) has taken it.
inline void note_notice(const cairn_host* host, int32_t fd, uint32_t mask) {
  struct stat64 status = {};
  if (call(host, SYS_fstat, fd, &status) < 0) return;
  Notice* free = nullptr;
  for (Notice& one : notices) {
    if (one.taken != 0 && one.fd == fd) {
      bool same = one.device == status.st_dev && one.inode == status.st_ino;
      one.device = status.st_dev;
      one.inode = status.st_ino;
      // The kernel adds to what there is.
      one.mask = mask == 0 ? 0 : mask | (same ? one.mask : 0);
      return;
    }
    if (free == nullptr && one.taken == 0) free = &one;
  }
  if (mask == 0) return;
  if (free == nullptr || __atomic_exchange_n(&free->taken, 1u, __ATOMIC_ACQ_REL) != 0) {
    __atomic_fetch_add(&notices_missed, 1u, __ATOMIC_RELAXED);
    return;
  }
  free->fd = fd;
  free->device = status.st_dev;
  free->inode = status.st_ino;
  __atomic_store_n(&free->mask, mask, __ATOMIC_RELEASE);
}

/// [quiesced] Whether the descriptor still is that folder's: closing it has ended the notices.
inline bool is_there(const cairn_host* host, const Notice& one) {
  struct stat64 status = {};
  return one.mask != 0 && call(host, SYS_fstat, one.fd, &status) == 0 && status.st_dev == one.device && status.st_ino == one.inode;
}

}  // namespace cairn::plugin
