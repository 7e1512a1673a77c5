// Threads that wait in open(2) for the other end of a FIFO begin that call again after a restart, with the path that they gave the kernel
// before. Whoever comes for the other end is led to the FIFO of this run, so they have to wait there. Context: restoring, when the
// pipes that are open have been made. Test: test/probes/runs.test.ts
#include "pipe/pipes.h"

namespace cairn::pipe {
namespace {

/// The virtual path that a thread opens; false: it is relative to a folder that is not there yet.
bool path_of_call(const char* given, int64_t folder, Text<4096>* path) {
  char known[4096];
  if (given[0] == '/') {
    int32_t length = paths()->to_virtual(given, known, sizeof known);
    path->add(length < 0 ? given : known);
    return true;
  }
  if (folder != AT_FDCWD || table.folder[0] == 0) return false;
  const char* rest = given;
  while (plugin::begins(rest, "./", &rest)) {}
  path->add(table.folder).add("/").add(rest);
  return true;
}

bool is_fifo(const char* path, uint32_t* mode) {
  struct stat64 status = {};
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&status), 0) < 0) return false;
  *mode = status.st_mode;
  return S_ISFIFO(status.st_mode);
}

/// Its place in this run, where it is made if it is not there. False: there is no FIFO of that name.
bool make_here(const char* virtual_path, char* place, uint32_t capacity) {
  Pipe pipe = {};
  if (paths()->to_real(virtual_path, place, capacity) < 0 || !is_fifo(place, &pipe.mode)) return false;
  pipe.path = virtual_path;
  char own[4096];
  const char* folder = nullptr;
  const char* below = nullptr;
  if (host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) == nullptr || plugin::begins(place, folder, &below)) return true;
  // What is not below the working folder is everybody's.
  if (!plugin::begins(virtual_path, common_folder(), &below) || below[0] != '/') return true;
  if (place_of(pipe, own, sizeof own) < 0 || plugin::length_of(own) >= capacity) return false;
  long made = sys(SYS_mknodat, AT_FDCWD, pointer(own), S_IFIFO | (pipe.mode & 07777));
  if (made < 0 && made != -EEXIST) return false;
  for (uint32_t i = 0; i == 0 || own[i - 1] != 0; ++i) place[i] = own[i];
  return true;
}

}  // namespace

void lead_waiting_opens() {
  int64_t number = 0;
  uint64_t arguments[6], stack = 0;
  int32_t virtual_tid, real_tid;
  for (uint32_t thread = 0; host->thread(thread, &virtual_tid, &real_tid) == 1; ++thread) {
    if (host->thread_call(thread, &number, arguments, &stack) != 1 || (number != SYS_open && number != SYS_openat)) continue;
    const uint32_t first = number == SYS_openat ? 1 : 0;
    Text<4096> path;
    char place[4096];
    int64_t folder = number == SYS_openat ? static_cast<int32_t>(arguments[0]) : AT_FDCWD;
    if (!path_of_call(reinterpret_cast<const char*>(arguments[first]), folder, &path)) continue;
    if (!make_here(path.text(), place, sizeof place)) continue;
    uint64_t size = plugin::length_of(place) + 1;
    auto* copy = static_cast<char*>(host->allocate(size));
    for (uint64_t i = 0; copy != nullptr && i < size; ++i) copy[i] = place[i];
    if (copy != nullptr) host->set_thread_argument(thread, first, reinterpret_cast<uintptr_t>(copy));
  }
}

}  // namespace cairn::pipe
