#include "file/shm.h"

#include <errno.h>
#include <time.h>

#include "common/handles.h"
#include "file/descriptors.h"

namespace cairn::file {
namespace {

// Path -> 0: itself; else what the name beside it ends with; pending: a process is about to say.
constexpr uint32_t places = plugin::name_space("file.shm");
// What tells one restart from another: the real pid of one of its processes.
constexpr uint32_t restarts = plugin::name_space("file.shm.restart");
constexpr int64_t pending = -1;
constexpr int32_t patience_ms = 5000;

bool write_place(const char* virtual_path, int64_t place, char* path, uint32_t capacity) {
  Text<4096> text;
  text.add(virtual_path);
  if (place != 0) text.add(".cairn-").add(place);
  if (text.size() + 1 >= capacity) return false;
  for (size_t i = 0; i <= text.size(); ++i) path[i] = text.text()[i];
  return true;
}

int64_t decide(const char* virtual_path, int64_t key) {
  int64_t holder = pending;
  int32_t result = host->claim_name(places, key, pending, &holder);
  for (int32_t waited = 0; result == -EEXIST && holder == pending && waited < patience_ms; ++waited) {
    struct timespec pause = {0, 1000000};
    sys(SYS_nanosleep, pointer(&pause), 0);
    host->get_name(places, key, &holder);
  }
  if (result == -EEXIST) return holder == pending ? host->real_pid() : holder;
  long made = sys(SYS_openat, AT_FDCWD, pointer(virtual_path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made >= 0) sys(SYS_close, made);
  int64_t place = made >= 0 ? 0 : host->real_pid();
  host->set_name(places, key, place);
  return place;
}

}  // namespace

bool shm_place(const char* virtual_path, bool unlinked, uint64_t inode, char* path, uint32_t capacity) {
  const char* rest;
  if (!plugin::begins(virtual_path, "/dev/shm/", &rest)) return false;
  if (!unlinked) return write_place(virtual_path, decide(virtual_path, plugin::path_key(virtual_path)), path, capacity);
  Text<4096> text;
  int64_t restart = host->real_pid();
  if (host->claim_name(restarts, 0, restart, &restart) == -ENOENT) restart = host->real_pid();
  text.add("/dev/shm/.cairn-unlinked-").add(restart).add("-").add(static_cast<int64_t>(inode));
  for (size_t i = 0; i <= text.size() && i < capacity; ++i) path[i] = text.text()[i];
  return text.size() < capacity;
}

bool shm_moved(const char* virtual_path, char* path, uint32_t capacity) {
  int64_t place = 0;
  if (host == nullptr || host->get_name(places, plugin::path_key(virtual_path), &place) != 0 || place <= 0) return false;
  return write_place(virtual_path, place, path, capacity);
}

bool shm_name_of(uint64_t device, uint64_t inode, char* virtual_path, char* real_path, uint32_t capacity) {
  bool found = false;
  (void)plugin::for_each_entry(host, "/dev/shm", [&](long folder, const plugin::KernelDirent& entry) {
    struct stat64 status = {};
    if (entry.inode != inode || sys(SYS_newfstatat, folder, pointer(entry.name), pointer(&status), AT_SYMLINK_NOFOLLOW) < 0) return false;
    Text<4096> path;
    path.add("/dev/shm/").add(entry.name);
    found = status.st_dev == device && path.size() < capacity;
    for (size_t i = 0; found && i <= path.size(); ++i) virtual_path[i] = real_path[i] = path.text()[i];
    return found;
  });
  if (!found) return false;
  // Beside its own name since a restart.
  for (char* end = virtual_path + plugin::length_of(virtual_path); end > virtual_path; --end) {
    const char* rest;
    int64_t number = 0, place = 0;
    if (!plugin::begins(end, ".cairn-", &rest) || !plugin::read_number(&rest, 10, &number) || *rest != 0) continue;
    *end = 0;
    if (host->get_name(places, plugin::path_key(virtual_path), &place) != 0 || place != number) *end = '.';
    break;
  }
  return true;
}

}  // namespace cairn::file
