// The names of Unix sockets in the file system, and giving any socket its name again. Names below the working folder come back in the
// run folder, like the files there; all others at their own place, or, where somebody listens there (a run that goes on, another
// restart), in the run folder too, where the processes of the computation find them. [restoring]
// Test: test/probes/sockets/named.c, elsewhere.c
#include <netinet/in.h>
#include <sys/un.h>

#include "common/folders.h"
#include "socket/away.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t path_offset = offsetof(sockaddr_un, sun_path);
char folder[4096];  // virtual working folder at the checkpoint

Text<4300> whole_path(const Address& shown) {
  Text<4300> path;
  Text<128> name = path_text(shown);
  if (name.text()[0] != '/') path.add(folder).add("/");
  path.add(name.text());
  return path;
}

/// The run folder's place for what is outside of the working folder.
bool outside_place(const char* path, char* real, uint32_t capacity) {
  const char* run_folder = nullptr;
  if (host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &run_folder) == nullptr) return false;
  Text<4300> target;
  target.add(run_folder).add("/.cairn/outside").add(path);
  if (target.size() >= capacity) return false;
  copy_bytes(real, target.text(), target.size() + 1);
  return true;
}

/// It is in the run folder of an earlier restart, which this one leaves alone.
bool in_earlier_run(const char* path, const char* real) {
  constexpr char part[] = "/.cairn/outside";
  uint64_t length = plugin::length_of(path), whole = plugin::length_of(real);
  if (whole < length + sizeof part - 1 || !plugin::same(real + whole - length, path)) return false;
  const char* rest = nullptr;
  return plugin::begins(real + whole - length - (sizeof part - 1), part, &rest);
}

/// Where a name's file is to be in this run. 0 or -errno.
int32_t real_path(const Address& shown, char* real, uint32_t capacity) {
  Text<4300> path = whole_path(shown);
  const char* run_folder = nullptr;
  const char* below = nullptr;
  // Not below its own working folder: that of the computation is what the run folder lies over.
  const char* common = plugin::common_folder(host, folder);
  if (common != nullptr && plugin::same(common, "/")) common = "";
  if (host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &run_folder) != nullptr && common != nullptr &&
      plugin::begins(path.text(), common, &below) && below[0] == '/') {
    Text<4300> target;
    target.add(run_folder).add(below);
    if (target.size() >= capacity) return -ENAMETOOLONG;
    copy_bytes(real, target.text(), target.size() + 1);
    plugin::make_known_folders(host, real, static_cast<uint32_t>(plugin::length_of(run_folder)), common);
    return 0;
  }
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  int32_t length = paths != nullptr ? paths->to_real(path.text(), real, capacity) : -ENOSYS;
  if (length < 0) return length;
  if (in_earlier_run(path.text(), real)) (void)outside_place(path.text(), real, capacity);
  return 0;
}

/// All processes find it there.
int32_t map_name(const Address& shown, const char* real) {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  return paths != nullptr ? paths->map_file(whole_path(shown).text(), real) : -ENOSYS;
}

bool exists(const char* path, uint32_t* mode) {
  struct stat64 status = {};
  bool there = sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&status), 0x100 /* AT_SYMLINK_NOFOLLOW */) == 0;
  *mode = status.st_mode;
  return there;
}

/// A name that a dead socket left behind may be used again; one that belongs to somebody may not. Asking is connecting a
/// datagram socket: whatever is there is found, and learns nothing of it.
int32_t clear_place(const char* path, const Address& address) {
  uint32_t mode = 0;
  if (!exists(path, &mode)) return 0;
  if (!S_ISSOCK(mode)) return -EADDRINUSE;
  long probe = sys(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  long result = sys(SYS_connect, probe, pointer(address.bytes), address.size);
  sys(SYS_close, probe);
  return result == -ECONNREFUSED ? static_cast<int32_t>(sys(SYS_unlink, pointer(path))) : -EADDRINUSE;
}

}  // namespace

void note_folder() {
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  char real[4096];
  folder[0] = 0;
  if (paths != nullptr && sys(SYS_getcwd, pointer(real), sizeof real) > 0) (void)paths->to_virtual(real, folder, sizeof folder);
}

namespace {

bool find_file(const Address& shown, uint32_t inode, uint32_t* mode, char* real, uint32_t capacity) {
  if (!has_path(shown)) return false;
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  struct stat64 status = {};
  if (paths == nullptr || paths->to_real(whole_path(shown).text(), real, capacity) < 0) return false;
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(real), pointer(&status), 0) < 0) return false;
  *mode = status.st_mode;
  return S_ISSOCK(status.st_mode) && static_cast<uint32_t>(status.st_ino) == inode;
}

}  // namespace

bool file_of(const Address& shown, uint32_t inode, uint32_t* mode) {
  char real[4096];
  return find_file(shown, inode, mode, real, sizeof real);
}

bool file_address(const Address& shown, uint32_t inode, Address* address) {
  char real[4096];
  uint32_t mode = 0;
  if (!find_file(shown, inode, &mode, real, sizeof real) || plugin::length_of(real) + 1 > sizeof(sockaddr_un::sun_path)) return false;
  *address = path_address(real);
  return true;
}

namespace {

/// `path`: where it is to be; a part of it is changed for a moment.
int32_t bind_file(int32_t fd, const Address& shown, char* path, bool keep, uint32_t mode) {
  // A program removes the folder that it made for its sockets when it ends: also a run that went on after the snapshot.
  if (keep) plugin::make_folders(host, path, 0700);
  Text<128> name = path_text(shown);
  uint32_t length = static_cast<uint32_t>(plugin::length_of(path));
  // The name shall be, letter for letter, what the application gave; so a relative one is given from its own folder. The
  // process gets its working folder later. A path too long for an address is given by its last part, and shown as it was.
  uint32_t part = length;
  while (part > 0 && path[part - 1] != '/') --part;
  bool relative = name.text()[0] != '/' && plugin::same(name.text(), path + part);
  Address address = path_address(relative || length + path_offset + 1 < sizeof(sockaddr_un) ? path + (relative ? part : 0) : path + part);
  if (relative || length + path_offset + 1 >= sizeof(sockaddr_un)) {
    char last = path[part];
    path[part] = 0;
    long error = sys(SYS_chdir, pointer(path));
    path[part] = last;
    if (error < 0) return static_cast<int32_t>(error);
  }
  uint32_t ignored = 0;
  // What is only named for a moment must not take anything away.
  int32_t result = keep ? clear_place(path, address) : exists(path, &ignored) ? -EADDRINUSE : 0;
  if (result >= 0) result = static_cast<int32_t>(sys(SYS_bind, fd, pointer(address.bytes), address.size));
  if (result < 0) return result;
  if (!keep) sys(SYS_unlink, pointer(path));
  else if (mode != 0) sys(SYS_chmod, pointer(path), static_cast<long>(mode & 07777));
  return 0;
}

}  // namespace

int32_t bind_name(int32_t fd, const Address& shown, bool keep, uint32_t mode) {
  if (!is_named(shown)) return 0;
  if (!has_path(shown)) {
    long result = sys(SYS_bind, fd, pointer(shown.bytes), shown.size);
    Address now = shown;
    // The host is another one, or has another address.
    if (result == -EADDRNOTAVAIL && readdress(&now)) result = sys(SYS_bind, fd, pointer(now.bytes), now.size);
    return static_cast<int32_t>(result);
  }
  char path[4400];
  if (int32_t error = real_path(shown, path, sizeof path); error < 0) return error;
  int32_t result = bind_file(fd, shown, path, keep, mode);
  if (result == 0 && keep && in_earlier_run(whole_path(shown).text(), path)) return map_name(shown, path);
  return result;
}

int32_t bind_in_run_folder(const Socket& one) {
  char path[4400];
  Text<4300> name = whole_path(one.shown_local);
  if (!outside_place(name.text(), path, sizeof path)) return -EADDRINUSE;
  if (int32_t error = bind_file(one.fd, one.shown_local, path, true, one.file_mode); error < 0) return error;
  Text<9000> text;
  text.add("the socket ").add(name.text()).add(" is at ").add(path).add(" in this run: its place is taken; other programs do not find it");
  host->log(CAIRN_LOG_WARNING, text.text());
  return map_name(one.shown_local, path);
}

int32_t reach(int32_t type, const Address& shown, Address* address) {
  *address = shown;
  if (!has_path(shown)) {
    (void)readdress(address);
    return (void)moved_to(type, address), 0;
  }
  char path[4400];
  if (int32_t error = real_path(shown, path, sizeof path); error < 0) return error;
  uint32_t length = static_cast<uint32_t>(plugin::length_of(path));
  uint32_t part = 0;
  if (length + path_offset + 1 >= sizeof(sockaddr_un)) {
    for (part = length; part > 0 && path[part - 1] != '/';) --part;
    char last = path[part];
    path[part] = 0;
    if (long error = sys(SYS_chdir, pointer(path)); error < 0) return static_cast<int32_t>(error);
    path[part] = last;
  }
  *address = path_address(path + part);
  return 0;
}

bool is_taken(const Address& shown) {
  char path[4400];
  uint32_t mode = 0;
  return has_path(shown) && (real_path(shown, path, sizeof path) < 0 || exists(path, &mode));
}

void release_name(const Address& shown) {
  char path[4400];
  if (has_path(shown) && real_path(shown, path, sizeof path) == 0) sys(SYS_unlink, pointer(path));
}

}  // namespace cairn::sockets
