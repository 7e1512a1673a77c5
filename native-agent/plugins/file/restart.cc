#include "restart.h"

#include <errno.h>
#include <linux/falloc.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/folders.h"
#include "common/handles.h"
#include "attributes.h"
#include "descriptors.h"
#include "nameless.h"
#include "shm.h"

namespace cairn::file {
namespace {

// A space of the shared names: path → a process has put the content to its place.
constexpr uint32_t brought_back = plugin::name_space("file brought back");

const cairn_paths* paths() { return static_cast<const cairn_paths*>(host->extension("cairn.paths/1")); }

int32_t fail(int32_t error, const OpenFile& file, const char* what) {
  Text<6000> text;
  text.add(what).add(" (").add(file.path).add(", descriptor ").add(file.descriptor).add(")");
  return host->fail(error, file.path, text.text());
}

/// To the same place; -errno or 0.
int32_t copy_data(int32_t from, int32_t to, int64_t offset, int64_t end) {
  static char buffer[64 * 1024];
  bool in_kernel = true;
  while (offset < end) {
    int64_t count;
    if (in_kernel) {
      int64_t read = offset, written = offset;
      count = sys(SYS_copy_file_range, from, pointer(&read), to, pointer(&written), end - offset, 0);
      if (count < 0 && count != -EINTR) {
        in_kernel = false;
        continue;
      }
    } else {
      int64_t wanted = end - offset < int64_t{sizeof buffer} ? end - offset : int64_t{sizeof buffer};
      count = sys(SYS_pread64, from, pointer(buffer), wanted, offset);
      if (count > 0) count = sys(SYS_pwrite64, to, pointer(buffer), count, offset);
    }
    if (count == -EINTR) continue;
    if (count < 0) return static_cast<int32_t>(count);
    if (count == 0) return 0;
    offset += count;
  }
  return 0;
}

/// Makes a part of a file read as zeros, and takes its room away where the file system can.
int32_t make_hole(int32_t to, int64_t offset, int64_t end) {
  static const char zeros[64 * 1024] = {};
  struct stat64 status = {};
  if (sys(SYS_fstat, to, pointer(&status)) == 0 && end > status.st_size) end = status.st_size;
  if (offset >= end || sys(SYS_fallocate, to, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, end - offset) == 0) return 0;
  while (offset < end) {
    int64_t part = end - offset < int64_t{sizeof zeros} ? end - offset : int64_t{sizeof zeros};
    long count = sys(SYS_pwrite64, to, pointer(zeros), part, offset);
    if (count == -EINTR) continue;
    if (count < 0) return static_cast<int32_t>(count);
    offset += count;
  }
  return 0;
}

/// The target may exist with other content. Holes stay holes.
int32_t copy_content(int32_t from, int32_t to, uint64_t bytes) {
  constexpr long clone_file = 0x40049409;  // FICLONE
  int64_t size = static_cast<int64_t>(bytes);
  if (sys(SYS_ioctl, to, clone_file, from) == 0) return static_cast<int32_t>(sys(SYS_ftruncate, to, size));
  for (int64_t done = 0; done < size;) {
    int64_t start = sys(SYS_lseek, from, done, SEEK_DATA);
    int64_t end = size;
    if (start == -ENXIO) start = size;
    else if (start < 0) start = done;  // this file system does not tell: all of it is data
    else end = sys(SYS_lseek, from, start, SEEK_HOLE);
    if (end < start || end > size) end = size;
    if (start > size) start = size;
    if (int32_t error = make_hole(to, done, start)) return error;
    if (int32_t error = copy_data(from, to, start, end)) return error;
    done = end;
  }
  return static_cast<int32_t>(sys(SYS_ftruncate, to, size));
}

/// Where a file goes in this run: its own place, or the same place below the run folder.
int32_t place_of(const OpenFile& file, char* path, uint32_t capacity) {
  if (shm_place(file.path, file.unlinked, file.inode, path, capacity)) return 0;
  const char* folder = nullptr;
  bool redirected = host->setting(CAIRN_SETTING_RUN_FOLDER, 0, &folder) != nullptr;
  Text<4096> target;
  uint64_t root = 0;
  const char* known = "";
  if (redirected && file.unlinked) {
    // Several processes may have it: by what it was, it is one file again.
    target.add(folder).add("/.cairn/unlinked-").add(static_cast<int64_t>(file.device)).add("-").add(static_cast<int64_t>(file.inode));
  } else if (redirected) {
    const char* relative = nullptr;
    const char* common = plugin::common_folder(host, table.folder);
    if (common == nullptr || plugin::same(common, "/")) common = "";
    bool below = plugin::begins(file.path, common, &relative) && relative[0] == '/';
    target.add(folder);
    if (below) known = common;
    else target.add("/.cairn/outside");
    root = target.size();
    target.add(below ? relative : file.path);
  } else {
    int32_t length = paths()->to_real(file.path, path, capacity);
    if (length < 0 || !file.unlinked) return length < 0 ? length : 0;
    target.add(path).add(".cairn-unlinked-").add(static_cast<int64_t>(file.device)).add("-").add(static_cast<int64_t>(file.inode));
  }
  if (target.size() + 1 >= capacity) return -ENAMETOOLONG;
  for (size_t i = 0; i <= target.size(); ++i) path[i] = target.text()[i];
  if (redirected) plugin::make_known_folders(host, path, root != 0 ? static_cast<uint32_t>(root) : static_cast<uint32_t>(target.size()), known);
  return 0;
}

/// The file that it is now is shown by the numbers of before.
void keep_numbers(const OpenFile& file, int32_t fd) {
  struct stat64 status = {};
  if (sys(SYS_fstat, fd, pointer(&status)) == 0) (void)paths()->same_file(file.shown_device, file.shown_inode, status.st_dev, status.st_ino);
}

/// When it was last written: programs such as make compare that with other files, which a restart leaves as they are.
void keep_change_time(const OpenFile& file, int32_t fd) {
  struct Time {
    int64_t seconds, nanoseconds;
  };
  const Time times[2] = {{0, UTIME_OMIT}, {static_cast<int64_t>(file.mtime_ns / 1000000000u), static_cast<int64_t>(file.mtime_ns % 1000000000u)}};
#ifdef SYS_utimensat_time64
  constexpr long set_times = SYS_utimensat_time64;
#else
  constexpr long set_times = SYS_utimensat;
#endif
  if (file.mtime_ns != 0) sys(set_times, fd, 0, pointer(times), 0);
}

int32_t tell_unwritten(const OpenFile& file, int32_t error) {
  return fail(error, file, error == -ENOSPC || error == -EDQUOT ? "no room on the disk for an open file's content"
                                                                : "an open file's content cannot be written to its place");
}

/// The folder in which a file without a name is made: where it was, if it may get a name there, else that of its place.
bool folder_of(const OpenFile& file, const char* place, char* path, uint32_t capacity) {
  int32_t length = 0;
  if (is_linkable(file)) {
    if (file.path[0] != '/') return false;
    length = paths()->new_real(file.path, path, capacity);
  } else {
    for (; place[length] != 0 && static_cast<uint32_t>(length) + 1 < capacity; ++length) path[length] = place[length];
  }
  while (length > 0 && path[length - 1] != '/') --length;
  if (length > 0) path[length] = 0;
  return length > 0;
}

/// 1: it is there, or another process makes it; 0: it has to be one with a name for a while; -errno.
int32_t restore_nameless(uint32_t index, const char* place) {
  const OpenFile& file = table.files[index];
  char folder[4096];
  if (!folder_of(file, place, folder, sizeof folder)) return 0;
  int32_t target = make_nameless(index, folder);
  if (target < 0) return target == -EEXIST ? 1 : target == -ENOENT ? 0 : fail(target, file, "an open file without a name cannot be made again");
  int32_t source = host->open_kept(file.kept);
  if (source < 0) return fail(source, file, "the snapshot's copy of an open file cannot be read");
  int32_t result = copy_content(source, target, file.size);
  sys(SYS_close, source);
  keep_numbers(file, target);
  set_attributes(file, target);
  keep_change_time(file, target);
  return result == 0 ? 1 : tell_unwritten(file, result);
}

/// Whether another process has written it, by a mapping that is all that it has of it, and so has brought it back.
bool brought_back_elsewhere(const OpenFile& file) {
  int64_t known = 0;
  return host->get_name(brought_back, plugin::path_key(file.path), &known) == 0;
}

/// Puts a kept file's content at its place; -errno or 0.
int32_t restore_content(const OpenFile& file, const char* path) {
  int32_t source = host->open_kept(file.kept);
  if (source < 0) return fail(source, file, "the snapshot's copy of an open file cannot be read");
  long target = sys(SYS_openat, AT_FDCWD, pointer(path), O_RDWR | O_CREAT | O_CLOEXEC | O_LARGEFILE, file.mode & 07777);
  int32_t result = target < 0 ? static_cast<int32_t>(target) : copy_content(source, static_cast<int32_t>(target), file.size);
  sys(SYS_close, source);
  if (target >= 0) {
    keep_numbers(file, static_cast<int32_t>(target));
    set_attributes(file, static_cast<int32_t>(target));
    keep_change_time(file, static_cast<int32_t>(target));
  }
  if (target >= 0) sys(SYS_close, target);
  return result == 0 ? 0 : tell_unwritten(file, result);
}

int32_t open_kept_file(const OpenFile& file, uint32_t flags) {
  char path[4096];
  if (int32_t error = place_of(file, path, sizeof path)) return fail(error, file, "an open file's place is too long a path");
  int32_t found = open_nameless(static_cast<uint32_t>(&file - table.files), flags, path);
  if (found != -ENOENT) return found < 0 ? fail(found, file, "an open file without a name cannot be opened again") : found;
  long descriptor = sys(SYS_openat, AT_FDCWD, pointer(path), flags, 0);
  if (descriptor < 0) return fail(static_cast<int32_t>(descriptor), file, "an open file cannot be opened again");
  return static_cast<int32_t>(descriptor);
}

/// A restart may have other rules than the checkpoint.
bool comes_back(const OpenFile& file) {
  if (file.kind != Kind::kept) return false;
  Rule rule = file.unlinked ? Rule::none : rule_of(host, file.path);
  return rule == Rule::none || rule == Rule::save;
}

/// Several open files of one name share the content: the first one of them stands for all.
bool first_with_content(uint32_t index) {
  const OpenFile& file = table.files[index];
  if (!comes_back(file) || file.kept < 0) return false;
  for (uint32_t i = 0; i < index; ++i) {
    if (table.files[i].kind == Kind::kept && table.files[i].kept == file.kept) return false;
  }
  return true;
}

/// A file that is open under two names has both again.
int32_t restore_second_name(uint32_t index) {
  const OpenFile& file = table.files[index];
  if (!comes_back(file) || file.kept < 0 || file.unlinked || first_with_content(index)) return 0;
  uint32_t first = 0;
  while (table.files[first].kept != file.kept || !comes_back(table.files[first])) ++first;
  const OpenFile& other = table.files[first];
  if (other.unlinked || plugin::same(other.path, file.path)) return 0;
  char path[4096], there[4096];
  if (place_of(file, path, sizeof path) < 0 || place_of(other, there, sizeof there) < 0) return fail(-ENAMETOOLONG, file, "an open file's place is too long a path");
  if (plugin::same(path, there)) return 0;
  long result = sys(SYS_linkat, AT_FDCWD, pointer(there), AT_FDCWD, pointer(path), 0);
  if (result == -EEXIST) {
    struct stat64 one = {}, two = {};
    bool same = sys(SYS_newfstatat, AT_FDCWD, pointer(there), pointer(&one), 0) == 0 && sys(SYS_newfstatat, AT_FDCWD, pointer(path), pointer(&two), 0) == 0 &&
                one.st_ino == two.st_ino && one.st_dev == two.st_dev;
    if (!same) sys(SYS_unlink, pointer(path));
    result = same ? 0 : sys(SYS_linkat, AT_FDCWD, pointer(there), AT_FDCWD, pointer(path), 0);
  }
  if (result < 0) return fail(static_cast<int32_t>(result), file, "an open file cannot have its second name again");
  paths()->map_file(file.path, path);
  return 0;
}

/// "/proc/4711/…": what follows the number; null: it is another path.
const char* behind_process(const char* path) {
  const char* rest;
  int64_t number;
  return plugin::begins(path, "/proc/", &rest) && plugin::read_number(&rest, 10, &number) && *rest == '/' ? rest : nullptr;
}

/// A file of /proc of a process that is no more: one of a process of our own, which ends. `rest`: its path below the process's folder.
int32_t open_of_ended(const char* rest, uint32_t flags) {
  long child = sys(SYS_clone, 0, 0);  // without an exit signal: nobody is told
  if (child == 0) {
    for (;;) sys(SYS_pause);
  }
  if (child < 0) return static_cast<int32_t>(child);
  plugin::Text<256> path;
  path.add("/proc/").add(int64_t{child});
  const char* below;
  int64_t thread;
  if (plugin::begins(rest, "/task/", &below) && plugin::read_number(&below, 10, &thread)) {
    path.add("/task/").add(int64_t{child});
    rest = below;
  }
  path.add(rest);
  long descriptor = sys(SYS_openat, AT_FDCWD, pointer(path.text()), flags, 0);
  sys(SYS_kill, child, SIGKILL);
  while (sys(SYS_wait4, child, 0, __WALL, 0) == -EINTR) {
  }
  return static_cast<int32_t>(descriptor);
}

/// Of a file of /proc: its process has ended and has not been waited for. The kernel lets root alone open files of such a one.
bool is_zombie(const char* real) {
  const char* rest;
  int64_t number;
  if (!plugin::begins(real, "/proc/", &rest) || !plugin::read_number(&rest, 10, &number)) return false;
  plugin::Text<64> path;
  path.add("/proc/").add(number).add("/stat");
  char text[512];
  long size = plugin::read_file(host, path.text(), text, sizeof text);
  // The name, which comes before the state, may hold anything.
  while (size > 0 && text[size - 1] != ')') --size;
  return size > 0 && text[size] == ' ' && text[size + 1] == 'Z';
}

bool is_changed(const OpenFile& file, long descriptor) {
  struct stat64 status = {};
  sys(SYS_fstat, descriptor, pointer(&status));
  return static_cast<uint64_t>(status.st_size) != file.size || change_time(status) != file.mtime_ns;
}

/// An earlier run may have got a version of its own of this name after the file was opened: then it is open where it was. -1: it is not.
long open_older_version(const OpenFile& file, const char* newer, uint32_t flags) {
  const char* place = file.real != nullptr ? file.real : file.path;
  if (plugin::same(place, newer)) return -1;
  long descriptor = sys(SYS_openat, AT_FDCWD, pointer(place), flags, 0);
  if (descriptor < 0 || !is_changed(file, descriptor)) return descriptor < 0 ? -1 : descriptor;
  sys(SYS_close, descriptor);
  return -1;
}

int32_t open_removed_folder(const OpenFile& file, uint32_t flags) {
  char path[4096];
  long descriptor = plugin::make_removed_folder(host, file.path, path, sizeof path);
  if (descriptor == 0) {
    descriptor = sys(SYS_openat, AT_FDCWD, pointer(path), flags, 0);
    sys(SYS_rmdir, pointer(path));
  }
  if (descriptor < 0) return fail(static_cast<int32_t>(descriptor), file, "a folder that was removed cannot be made again");
  keep_numbers(file, static_cast<int32_t>(descriptor));
  return static_cast<int32_t>(descriptor);
}

int32_t open_unchanged(const OpenFile& file, uint32_t flags) {
  char path[4096];
  if (paths()->to_real(file.path, path, sizeof path) < 0) return fail(-ENAMETOOLONG, file, "an open file's path is too long");
  const char* ended = file.kind == Kind::regular ? behind_process(file.path) : nullptr;
  long descriptor = ended != nullptr && file.unlinked ? -ENOENT : sys(SYS_openat, AT_FDCWD, pointer(path), flags, 0);
  bool gone = descriptor == -ENOENT || descriptor == -ESRCH || (descriptor == -EACCES && ended != nullptr && is_zombie(path));
  if (ended != nullptr && gone) descriptor = open_of_ended(ended, flags);
  bool checked = (file.kind == Kind::regular || file.kind == Kind::kept) && file.mtime_ns != 0 && file.rule != Rule::ignore;
  if (checked && !brought_back_elsewhere(file) && (descriptor < 0 || is_changed(file, descriptor))) {
    if (long older = open_older_version(file, path, flags); older >= 0) {
      if (descriptor >= 0) sys(SYS_close, descriptor);
      descriptor = older;
    }
  }
  if (descriptor == -EACCES) return fail(-EACCES, file, "this user may not open a file that was open; allow it, or map its folder by --path");
  if (descriptor < 0) return fail(static_cast<int32_t>(descriptor), file, "a file that was open for reading is not there any more; put it back, or map its folder by --path");
  if (checked && is_changed(file, descriptor) && !brought_back_elsewhere(file) && !may_differ(host, file.path)) {
    sys(SYS_close, descriptor);
    return fail(-ESTALE, file, "an open file has changed since the checkpoint; put the old one back, map its folder by --path, or allow the new one by --file PATTERN=ignore");
  }
  keep_numbers(file, static_cast<int32_t>(descriptor));
  return static_cast<int32_t>(descriptor);
}

/// ext4 never lists a directory whose first operation was a seek to its end: it gets its first read before that.
void start_reading(int32_t descriptor) {
  alignas(8) char entries[512];
  sys(SYS_getdents64, descriptor, pointer(entries), sizeof entries);
}

}  // namespace

int32_t restore_contents() {
  for (uint32_t i = 0; i < table.file_count; ++i) {
    if (!first_with_content(i)) continue;
    const OpenFile& file = table.files[i];
    char path[4096];
    if (int32_t error = place_of(file, path, sizeof path)) return fail(error, file, "an open file's place is too long a path");
    int32_t nameless = file.unlinked ? restore_nameless(i, path) : 0;
    if (nameless != 0) {
      if (nameless < 0) return nameless;
      continue;
    }
    if (int32_t error = restore_content(file, path)) return error;
    if (file.unlinked) continue;
    paths()->map_file(file.path, path);
    host->set_name(brought_back, plugin::path_key(file.path), 1);
  }
  for (uint32_t i = 0; i < table.file_count; ++i) {
    if (int32_t error = restore_second_name(i); error < 0) return error;
  }
  // Also what another process brings back: all know where it is.
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    char path[4096];
    if (!file.unlinked && shm_place(file.path, false, file.inode, path, sizeof path)) paths()->map_file(file.path, path);
  }
  return 0;
}

void remove_unlinked() {
  end_nameless();
  for (uint32_t i = 0; i < table.file_count; ++i) {
    char path[4096];
    if (!table.files[i].unlinked || !first_with_content(i)) continue;
    if (place_of(table.files[i], path, sizeof path) == 0) sys(SYS_unlink, pointer(path));
  }
}

int32_t open_again(uint32_t index) {
  const OpenFile& file = table.files[index];
  uint32_t flags = file.status_flags & ~static_cast<uint32_t>(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_TMPFILE);
  if (file.kind == Kind::directory) flags |= O_DIRECTORY;
  int32_t fd = file.kind == Kind::directory && file.unlinked ? open_removed_folder(file, flags)
               : comes_back(file) ? open_kept_file(file, flags) : open_unchanged(file, flags | O_NOCTTY);
  if (fd < 0) return fd;
  if (file.kind == Kind::directory) start_reading(fd);
  if (file.kind != Kind::device) sys(SYS_lseek, fd, file.offset, SEEK_SET);
  return fd;
}

int32_t open_for_mapping(uint32_t index, uint32_t protection, uint32_t* close) {
  const OpenFile& file = table.files[index];
  uint32_t access = file.status_flags & O_ACCMODE;
  *close = 0;
  if (file.descriptor < 0) {
    *close = 1;
    return comes_back(file) ? open_kept_file(file, O_RDWR | O_CLOEXEC) : open_unchanged(file, O_RDONLY | O_CLOEXEC);
  }
  if (access == O_RDWR || (access == O_RDONLY && (protection & PROT_WRITE) == 0)) return file.descriptor;
  *close = 1;
  if (!comes_back(file)) return open_unchanged(file, O_RDWR | O_CLOEXEC | O_LARGEFILE);
  return open_kept_file(file, O_RDWR | O_CLOEXEC | O_LARGEFILE);
}

}  // namespace cairn::file
