#include "descriptors.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <sys/sysmacros.h>

namespace cairn::file {
namespace {

struct Identity {
  int32_t number;
  bool open;
  uint64_t device;
  uint64_t inode;
  uint64_t rdev;
  uint32_t type;
};
constexpr uint32_t max_inherited = 64;
Identity inherited[max_inherited];
uint32_t inherited_count = 0;

// Paths of one checkpoint; begun anew by the next.
constexpr uint64_t pool_size = 1 << 20;
char* pool = nullptr;
uint64_t pool_used = 0;

const char* remember_path(const char* path) {
  uint64_t size = plugin::length_of(path) + 1;
  if (pool == nullptr) pool = static_cast<char*>(host->allocate(pool_size));
  if (pool == nullptr || pool_used + size > pool_size) return nullptr;
  char* copy = pool + pool_used;
  for (uint64_t i = 0; i < size; ++i) copy[i] = path[i];
  pool_used += size;
  return copy;
}

Identity identify(int32_t number, const struct stat& status) {
  return {number, true, status.st_dev, status.st_ino, status.st_rdev, status.st_mode & S_IFMT};
}

bool same_object(const Identity& identity, const struct stat& status) {
  if (!identity.open || identity.type != (status.st_mode & S_IFMT)) return false;
  // A terminal is the same whatever path it was opened by.
  if (S_ISCHR(status.st_mode)) return identity.rdev == status.st_rdev && major(status.st_rdev) != 1;
  return identity.device == status.st_dev && identity.inode == status.st_ino;
}

/// Which of the descriptors that the process was started with stands for the same thing; -1: none.
int32_t initial_descriptor(int32_t number, const struct stat& status) {
  int32_t found = -1;
  for (uint32_t i = 0; i < inherited_count; ++i) {
    if (!same_object(inherited[i], status)) continue;
    if (inherited[i].number == number) return number;
    if (found < 0 || inherited[i].number < found) found = inherited[i].number;
  }
  return found;
}

int32_t remember_one(int32_t number, void*) {
  struct stat status = {};
  if (inherited_count < max_inherited && sys(SYS_fstat, number, pointer(&status)) == 0) {
    inherited[inherited_count++] = identify(number, status);
  }
  return 0;
}

int32_t refuse(int32_t number, const char* what, const char* path) {
  Text<5000> text;
  text.add("descriptor ").add(number).add(" is ").add(what).add(" (").add(path)
      .add("), which this version of Cairn cannot bring back; close it before the checkpoint. The computation runs on");
  return host->fail(-ENOTSUP, path, text.text());
}

bool known_device(const struct stat& status) {
  if (!S_ISCHR(status.st_mode)) return false;
  uint32_t minor_number = minor(status.st_rdev);
  if (major(status.st_rdev) == 1) return minor_number == 3 || minor_number == 5 || minor_number == 7 || minor_number == 8 || minor_number == 9;
  return major(status.st_rdev) == 5 && minor_number == 0;  // /dev/tty
}

/// An open file that another descriptor has, too; max_descriptors: none. On a terminal 0, 1 and 2 usually are one open file, but
/// a restart may have three: each stays its own, and a copy made later counts as one of standard output.
uint32_t shared_file(int32_t number, const struct stat& status) {
  long self = sys(SYS_getpid);
  if (number < 3 && initial_descriptor(number, status) == number) return max_descriptors;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    if (file.kind == Kind::stdio && file.stdio == 1 && sys(SYS_kcmp, self, self, KCMP_FILE, number, file.descriptor) == 0) return i;
  }
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    if (file.device == status.st_dev && file.inode == status.st_ino &&
        sys(SYS_kcmp, self, self, KCMP_FILE, number, file.descriptor) == 0) {
      return i;
    }
  }
  return max_descriptors;
}

int32_t classify(int32_t number, const struct stat& status, const char* path, OpenFile* file) {
  bool writes = (file->status_flags & O_ACCMODE) != O_RDONLY;
  int32_t initial = initial_descriptor(number, status);
  file->stdio = static_cast<uint32_t>(initial);
  if (initial >= 0 && initial < 3) {
    file->kind = Kind::stdio;
  } else if (initial >= 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) {
    file->kind = Kind::inherited;
  } else if (S_ISREG(status.st_mode) && plugin::begins(path, "/memfd:", &path)) {
    return refuse(number, "a memory file", path);
  } else if (S_ISREG(status.st_mode)) {
    const char* rest;
    bool pseudo = plugin::begins(path, "/proc/", &rest) || plugin::begins(path, "/sys/", &rest);
    file->kind = (writes || file->unlinked) && !pseudo ? Kind::kept : Kind::regular;
    if (pseudo) file->size = file->mtime_ns = 0;
  } else if (S_ISDIR(status.st_mode)) {
    file->kind = Kind::directory;
  } else if (known_device(status)) {
    file->kind = Kind::device;
  } else {
    return refuse(number, kind_name(status.st_mode, path), path);
  }
  return 0;
}

int32_t add_descriptor(int32_t number, void*) {
  char path[4096];
  struct stat status = {};
  long result = sys(SYS_fstat, number, pointer(&status));
  if (result < 0) return 0;  // closed meanwhile: it was one of the enumeration's own
  if (table.descriptor_count == max_descriptors) {
    return host->fail(-EMFILE, "descriptors", "more than 4096 open descriptors");
  }
  uint32_t index = shared_file(number, status);
  if (index == max_descriptors) {
    index = table.file_count;
    OpenFile* file = &table.files[index];
    *file = {};
    file->descriptor = number;
    long flags = sys(SYS_fcntl, number, F_GETFL);
    file->status_flags = static_cast<uint32_t>(flags);
    file->kept = -1;
    file->mode = status.st_mode;
    file->size = static_cast<uint64_t>(status.st_size);
    file->mtime_ns = static_cast<uint64_t>(status.st_mtim.tv_sec) * 1000000000u + static_cast<uint64_t>(status.st_mtim.tv_nsec);
    file->device = status.st_dev;
    file->inode = status.st_ino;
    long offset = sys(SYS_lseek, number, 0, SEEK_CUR);
    file->offset = offset < 0 ? 0 : static_cast<uint64_t>(offset);
    if (path_of(number, path, sizeof path, &file->unlinked) < 0) path[0] = 0;
    char virtual_path[4096];
    auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
    bool translated = paths != nullptr && path[0] == '/' && paths->to_virtual(path, virtual_path, sizeof virtual_path) >= 0;
    file->path = remember_path(translated ? virtual_path : path);
    if (file->path == nullptr) return host->fail(-ENOMEM, "descriptors", "the paths of the open files are too long altogether");
    if (int32_t error = classify(number, status, path, file)) return error;
    ++table.file_count;
  }
  long fd_flags = sys(SYS_fcntl, number, F_GETFD);
  table.descriptors[table.descriptor_count++] = {number, index, static_cast<uint32_t>(fd_flags)};
  return 0;
}

struct KernelDirent {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

}  // namespace

void remember_inherited() {
  inherited_count = 0;
  (void)for_each_descriptor(remember_one, nullptr);
}

void remember_replaced() {
  inherited_count = 0;
  for (uint32_t i = 0; i < table.descriptor_count; ++i) {
    const Descriptor& descriptor = table.descriptors[i];
    Kind kind = table.files[descriptor.file].kind;
    if ((kind == Kind::stdio && descriptor.number < 3) || kind == Kind::inherited) (void)remember_one(descriptor.number, nullptr);
  }
}

int32_t read_descriptors() {
  table.file_count = table.descriptor_count = 0;
  pool_used = 0;
  char cwd[4096];
  auto* paths = static_cast<const cairn_paths*>(host->extension("cairn.paths/1"));
  table.folder[0] = 0;
  if (sys(SYS_getcwd, pointer(cwd), sizeof cwd) > 0) (void)paths->to_virtual(cwd, table.folder, sizeof table.folder);
  return for_each_descriptor(add_descriptor, nullptr);
}

long path_of(int32_t descriptor, char* path, uint32_t capacity, bool* deleted) {
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(descriptor);
  long length = sys(SYS_readlink, pointer(link.text()), pointer(path), capacity - 1);
  if (length < 0) return length;
  path[length] = 0;
  const char suffix[] = " (deleted)";
  long suffix_length = sizeof suffix - 1;
  *deleted = length > suffix_length && plugin::same(path + length - suffix_length, suffix);
  if (*deleted) path[length - suffix_length] = 0;
  return length;
}

const char* kind_name(uint32_t mode, const char* path) {
  const char* rest;
  if (S_ISREG(mode)) return "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISCHR(mode)) return "character device";
  if (S_ISBLK(mode)) return "block device";
  if (S_ISFIFO(mode)) return path[0] == '/' ? "named pipe" : "pipe";
  if (S_ISSOCK(mode)) return "socket";
  return plugin::begins(path, "anon_inode:", &rest) ? rest : "descriptor of an unknown kind";
}

int32_t for_each_descriptor(int32_t (*visit)(int32_t number, void* context), void* context) {
  long folder = sys(SYS_openat, AT_FDCWD, pointer("/proc/thread-self/fd"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return host->fail(static_cast<int32_t>(folder), "/proc/thread-self/fd", "cannot list the open descriptors; is /proc mounted?");
  alignas(8) char buffer[4096];
  int32_t result = 0;
  long size = 0;
  while (result >= 0 && (size = sys(SYS_getdents64, folder, pointer(buffer), sizeof buffer)) > 0) {
    for (long at = 0; at < size && result >= 0;) {
      auto* entry = reinterpret_cast<KernelDirent*>(buffer + at);
      at += entry->length;
      const char* name = entry->name;
      int64_t number = 0;
      if (!plugin::read_number(&name, 10, &number) || number == folder) continue;
      if (host->own_fd(static_cast<int32_t>(number)) == 0) result = visit(static_cast<int32_t>(number), context);
    }
  }
  sys(SYS_close, folder);
  return result;
}

}  // namespace cairn::file
