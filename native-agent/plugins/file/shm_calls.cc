// shm_open, sem_open and their kin: libc opens /dev/shm by itself, past the wrappers of paths. A name that stands for another file
// since a restart (shm.cc) is opened there. Of semaphores libc keeps a list by file, to give one address to one name: what is opened
// here has a list of its own.
// [any] A lock of its own, held for a few calls. Tests: test/probes/posix
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/next.h"
#include "file/descriptors.h"
#include "file/shm.h"

namespace cairn::file {
namespace {

template <typename Function>
using Next = plugin::Next<host, Function>;
Next<int(const char*, int, mode_t)> next_shm_open{"shm_open", nullptr};
Next<int(const char*)> next_shm_unlink{"shm_unlink", nullptr};
Next<sem_t*(const char*, int, ...)> next_sem_open{"sem_open", nullptr};
Next<int(const char*)> next_sem_unlink{"sem_unlink", nullptr};
Next<int(sem_t*)> next_sem_close{"sem_close", nullptr};

struct Opened {
  sem_t* address;  // NULL: free
  uint64_t device;
  uint64_t inode;
  uint32_t times;
};
constexpr uint32_t capacity = 256;
Opened opened[capacity];
uint32_t locked = 0;

class Lock {
 public:
  Lock() {
    while (__atomic_exchange_n(&locked, 1, __ATOMIC_ACQUIRE) != 0) sys(SYS_sched_yield);
  }
  ~Lock() { __atomic_store_n(&locked, 0, __ATOMIC_RELEASE); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

int fails(long error) {
  errno = static_cast<int>(-error);
  return -1;
}

/// The virtual path of a name, and where it is; false: where libc looks.
bool moved(const char* prefix, const char* name, Text<300>* virtual_path, char* path, uint32_t size) {
  while (*name == '/') ++name;
  virtual_path->add("/dev/shm/").add(prefix).add(name);
  return shm_moved(virtual_path->text(), path, size);
}

/// The name goes on standing for that place, where there may be a new one later: its own is somebody else's.
int unlink_moved(const char* path) {
  long result = sys(SYS_unlink, pointer(path));
  return result < 0 ? fails(result) : 0;
}

/// A new one at this place, whole when it gets its name. A descriptor, or -errno.
long create_semaphore(const char* path, mode_t mode, unsigned value) {
  Text<4300> partial;
  partial.add(path).add(".new-").add(int64_t{host->real_pid()});
  sem_t fresh;
  if (sem_init(&fresh, 1, value) != 0) return -EINVAL;
  sys(SYS_unlink, pointer(partial.text()));
  long fd = sys(SYS_openat, AT_FDCWD, pointer(partial.text()), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return fd;
  long result = sys(SYS_write, fd, pointer(&fresh), sizeof fresh);
  if (result >= 0) result = sys(SYS_link, pointer(partial.text()), pointer(path));
  sys(SYS_unlink, pointer(partial.text()));
  if (result >= 0) return fd;
  sys(SYS_close, fd);
  return result;
}

sem_t* map_semaphore(long fd) {
  struct stat64 status = {};
  if (long error = sys(SYS_fstat, fd, pointer(&status)); error < 0) return fails(error), SEM_FAILED;
  Lock lock;
  Opened* free = nullptr;
  for (Opened& one : opened) {
    if (one.address != nullptr && one.inode == status.st_ino && one.device == status.st_dev) return ++one.times, one.address;
    if (one.address == nullptr && free == nullptr) free = &one;
  }
  if (free == nullptr) return fails(-EMFILE), SEM_FAILED;
  void* address = mmap(nullptr, sizeof(sem_t), PROT_READ | PROT_WRITE, MAP_SHARED, static_cast<int>(fd), 0);
  if (address == MAP_FAILED) return SEM_FAILED;
  *free = {static_cast<sem_t*>(address), status.st_dev, status.st_ino, 1};
  return free->address;
}

}  // namespace

void prepare_shm_calls() {
  next_shm_open.get();
  next_shm_unlink.get();
  next_sem_open.get();
  next_sem_unlink.get();
  next_sem_close.get();
}

}  // namespace cairn::file

using namespace cairn::file;

#define CAIRN_WRAP(result, name, ...)                                                        \
  extern "C" CAIRN_EXPORT result cairn_file_##name(__VA_ARGS__) __asm__(#name);              \
  extern "C" result cairn_file_##name(__VA_ARGS__)

CAIRN_WRAP(int, shm_open, const char* name, int flags, mode_t mode) {
  Text<300> virtual_path;
  char path[4200];
  if (!moved("", name, &virtual_path, path, sizeof path)) return next_shm_open.get()(name, flags, mode);
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), flags | O_CLOEXEC | O_NOFOLLOW, mode);
  return fd < 0 ? fails(fd) : static_cast<int>(fd);
}

CAIRN_WRAP(int, shm_unlink, const char* name) {
  Text<300> virtual_path;
  char path[4200];
  if (moved("", name, &virtual_path, path, sizeof path)) return unlink_moved(path);
  return next_shm_unlink.get()(name);
}

CAIRN_WRAP(sem_t*, sem_open, const char* name, int flags, ...) {
  va_list list;
  va_start(list, flags);
  mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  unsigned value = (flags & O_CREAT) != 0 ? va_arg(list, unsigned) : 0;
  va_end(list);
  Text<300> virtual_path;
  char path[4200];
  if (!moved("sem.", name, &virtual_path, path, sizeof path)) return next_sem_open.get()(name, flags, mode, value);
  long fd = sys(SYS_openat, AT_FDCWD, pointer(path), O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
  if (fd >= 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
    sys(SYS_close, fd);
    fd = -EEXIST;
  }
  if (fd == -ENOENT && (flags & O_CREAT) != 0) fd = create_semaphore(path, mode, value);
  if (fd < 0) return fails(fd), SEM_FAILED;
  sem_t* result = map_semaphore(fd);
  sys(SYS_close, fd);
  return result;
}

CAIRN_WRAP(int, sem_unlink, const char* name) {
  Text<300> virtual_path;
  char path[4200];
  if (moved("sem.", name, &virtual_path, path, sizeof path)) return unlink_moved(path);
  return next_sem_unlink.get()(name);
}

CAIRN_WRAP(int, sem_close, sem_t* semaphore) {
  {
    Lock lock;
    for (Opened& one : opened) {
      if (one.address != semaphore || semaphore == nullptr) continue;
      if (--one.times == 0) {
        munmap(one.address, sizeof(sem_t));
        one.address = nullptr;
      }
      return 0;
    }
  }
  return next_sem_close.get()(semaphore);
}
