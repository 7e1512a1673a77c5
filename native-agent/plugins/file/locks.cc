#include "locks.h"

#include <errno.h>
#include <sys/file.h>
#include <unistd.h>

#include "descriptors.h"

namespace cairn::file {
namespace {

enum class LockKind : uint32_t { record, description, whole, lease };  // POSIX, F_OFD_*, flock, F_SETLEASE

struct Lock {
  LockKind kind;
  int32_t fd;
  int32_t type;   // F_RDLCK or F_WRLCK
  int64_t start;
  int64_t length; // 0: to the end, wherever that is
  bool breaking;  // a lease: somebody waits for its end
};

constexpr uint32_t capacity = 4096;
Lock* locks = nullptr;
uint32_t count = 0;

/// The text behind the next blank.
const char* next_word(const char* at) {
  while (*at != 0 && *at != ' ' && *at != '\n') ++at;
  while (*at == ' ') ++at;
  return at;
}

/// "1: POSIX  ADVISORY  WRITE 4711 00:2a:1234 8 107" of /proc/PID/fdinfo/N; the end may be EOF.
bool parse(const char* at, Lock* lock) {
  const char* rest;
  at = next_word(at);
  if (plugin::begins(at, "POSIX", &rest)) lock->kind = LockKind::record;
  else if (plugin::begins(at, "OFDLCK", &rest)) lock->kind = LockKind::description;
  else if (plugin::begins(at, "FLOCK", &rest)) lock->kind = LockKind::whole;
  else if (plugin::begins(at, "LEASE", &rest)) lock->kind = LockKind::lease;
  else return false;  // a delegation
  at = next_word(at);
  lock->breaking = plugin::begins(at, "BREAKING", &rest);
  at = next_word(at);
  lock->type = plugin::begins(at, "WRITE", &rest) ? F_WRLCK : F_RDLCK;
  at = next_word(next_word(next_word(at)));
  int64_t end = 0;
  if (!plugin::read_number(&at, 10, &lock->start)) return false;
  while (*at == ' ') ++at;
  lock->length = plugin::read_number(&at, 10, &end) ? end - lock->start + 1 : 0;
  return true;
}

bool known(const Lock& lock, uint64_t device, uint64_t inode) {
  // A record lock belongs to the process: each of its descriptors of that file shows it.
  if (lock.kind != LockKind::record) return false;
  for (uint32_t i = 0; i < count; ++i) {
    const Lock& other = locks[i];
    if (other.kind != LockKind::record || other.start != lock.start || other.length != lock.length || other.type != lock.type) continue;
    for (uint32_t f = 0; f < table.file_count; ++f) {
      const OpenFile& file = table.files[f];
      if (file.descriptor == other.fd && file.device == device && file.inode == inode) return true;
    }
  }
  return false;
}

/// A read lock needs a descriptor that can read, a write lock one that can write: the process may hold it by another one.
int32_t suitable_descriptor(const Lock& lock, const cairn_descriptor& shown) {
  if (lock.kind != LockKind::record) return shown.fd;
  uint32_t unfit = lock.type == F_WRLCK ? O_RDONLY : O_WRONLY;
  if ((shown.status_flags & O_ACCMODE) != unfit) return shown.fd;
  for (uint32_t f = 0; f < table.file_count; ++f) {
    const OpenFile& file = table.files[f];
    if (file.device == shown.device && file.inode == shown.inode && (file.status_flags & O_ACCMODE) != unfit) return file.descriptor;
  }
  return -1;
}

int32_t fail(int32_t error, const Lock& lock) {
  const char* path = "file";
  for (uint32_t f = 0; f < table.file_count; ++f) {
    if (table.files[f].descriptor == lock.fd) path = table.files[f].path;
  }
  if (lock.kind == LockKind::lease) return host->fail(error, path, "a lease on a file (F_SETLEASE) cannot be taken again: somebody else has the file open, or it is another user's");
  return host->fail(error, path, error == -EAGAIN || error == -EACCES
      ? "a lock on a file cannot be taken again: somebody else holds it; end that, or restart into a run folder"
      : "a lock on a file cannot be taken again");
}

}  // namespace

void forget_locks() { count = 0; }

int32_t save_locks(const cairn_descriptor& descriptor) {
  static char text[16 * 1024];
  Text<64> path;
  path.add("/proc/thread-self/fdinfo/").add(descriptor.fd);
  if (plugin::read_file(host, path.text(), text, sizeof text) < 0) return 1;
  if (locks == nullptr) locks = static_cast<Lock*>(host->allocate(capacity * sizeof(Lock)));
  if (locks == nullptr) return host->fail(-ENOMEM, "locks", "no memory for the list of file locks");
  const char* at = text;
  while ((at = plugin::line_value(at, "lock:")) != nullptr) {
    Lock lock = {};
    if (!parse(at, &lock) || known(lock, descriptor.device, descriptor.inode)) continue;
    if (lock.kind != LockKind::record && descriptor.elsewhere != 0) continue;
    // The time that its holder has left is the kernel's.
    if (lock.breaking) return host->fail(-EAGAIN, descriptor.path, "a lease on a file (F_SETLEASE) that its holder is asked to give up; try again when it has. The computation runs on");
    // Who reads the content for the snapshot would break it.
    if (lock.kind == LockKind::lease && lock.type == F_WRLCK) {
      return host->fail(-ENOTSUP, descriptor.path, "a lease for writing on a file (F_SETLEASE with F_WRLCK), which cannot be saved; give it up before the checkpoint. The computation runs on");
    }
    lock.fd = suitable_descriptor(lock, descriptor);
    if (lock.fd < 0) continue;  // another descriptor, still to come, shows it too
    if (count == capacity) return host->fail(-ENOSPC, descriptor.path, "more than 4096 file locks");
    locks[count++] = lock;
  }
  return 1;
}

int32_t lock_again() {
  for (uint32_t i = 0; i < count; ++i) {
    const Lock& lock = locks[i];
    long result;
    if (lock.kind == LockKind::whole) {
      result = sys(SYS_flock, lock.fd, (lock.type == F_WRLCK ? LOCK_EX : LOCK_SH) | LOCK_NB);
    } else if (lock.kind == LockKind::lease) {
      result = sys(SYS_fcntl, lock.fd, F_SETLEASE, lock.type);
    } else {
      struct flock range = {};
      range.l_type = static_cast<short>(lock.type);
      range.l_whence = SEEK_SET;
      range.l_start = lock.start;
      range.l_len = lock.length;
      result = sys(SYS_fcntl, lock.fd, lock.kind == LockKind::record ? F_SETLK : F_OFD_SETLK, pointer(&range));
    }
    if (result < 0) return fail(static_cast<int32_t>(result == -EWOULDBLOCK ? -EAGAIN : result), lock);
  }
  return 0;
}

}  // namespace cairn::file
