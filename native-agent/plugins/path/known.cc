// See known.h.
#include "known.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "own.h"
#include "state.h"
#include "target.h"
#include "told.h"

namespace cairn::path {
namespace {

constexpr size_t kEntries = 256;

struct Entry {
  uint32_t writes;   // odd: it is being written
  uint32_t changes;  // of Moment
  int64_t hidden;
  int64_t path;      // hash
  int64_t own;       // key of its name
  KnownFile file;
};

Entry entries[kEntries];
uint32_t changes = 1;

Entry &entry_of(int64_t path) { return entries[(static_cast<uint64_t>(path) >> 8) % kEntries]; }

uint32_t writes_of(const Entry &entry) { return __atomic_load_n(&entry.writes, __ATOMIC_ACQUIRE); }

}  // namespace

bool is_plain_reading(int flags) {
  constexpr int kHarmless = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
  return (flags & ~kHarmless) == O_RDONLY;
}

Moment moment() { return {last_hidden(), __atomic_load_n(&changes, __ATOMIC_ACQUIRE)}; }

void remember(const char *path, const Target &target, const Moment &before) {
  if (!target.is_plain_file()) return;
  int64_t own = own_key(target.virtual_path());
  if (may_be_own(own)) return;
  // A child of vfork has this memory, but perhaps another working folder.
  if (sys(SYS_getpid) != state.host->real_pid()) return;
  int64_t hash = hash_of(path, strlen(path));
  Entry &entry = entry_of(hash);
  uint32_t writes = writes_of(entry);
  if (writes % 2 != 0 || !__atomic_compare_exchange_n(&entry.writes, &writes, writes + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  entry.changes = before.changes;
  entry.hidden = before.hidden;
  entry.path = hash;
  entry.own = own;
  entry.file = {target.device(), target.inode()};
  __atomic_store_n(&entry.writes, writes + 2, __ATOMIC_RELEASE);
}

bool recall(const char *path, KnownFile &file) {
  int64_t hash = hash_of(path, strlen(path));
  const Entry &entry = entry_of(hash);
  uint32_t writes = writes_of(entry);
  Entry copy = entry;
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  if (writes % 2 != 0 || writes_of(entry) != writes || copy.path != hash) return false;
  Moment now = moment();
  if (copy.changes != now.changes || copy.hidden != now.hidden || may_be_own(copy.own)) return false;
  file = copy.file;
  return true;
}

bool is_open(const KnownFile &file, int fd) {
  struct stat64 status;
  return sys(SYS_fstat, fd, &status) == 0 && status.st_dev == file.device && status.st_ino == file.inode;
}

void forget_known() { __atomic_fetch_add(&changes, 1, __ATOMIC_ACQ_REL); }

}  // namespace cairn::path
