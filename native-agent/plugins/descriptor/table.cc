#include "descriptor/table.h"

#include <errno.h>
#include <linux/kcmp.h>

namespace cairn::descriptor {

Table table;

namespace {

int32_t refuse(int32_t number, const char* what, const char* path) {
  Text<5000> text;
  text.add("descriptor ").add(number).add(" is ").add(what).add(" (").add(path)
      .add("), which this version of Cairn cannot bring back; close it before the checkpoint. The computation runs on");
  return host->fail(-ENOTSUP, path, text.text());
}

/// An open file that another descriptor has, too; max_descriptors: none. On a terminal 0, 1 and 2 usually are one open file, but
/// a restart may have three: each stays its own, and a copy made later counts as one of standard output.
uint32_t shared_file(int32_t number, const struct stat64& status) {
  long self = sys(SYS_getpid);
  if (number < 3 && outside_descriptor(number, status) == number) return max_descriptors;
  uint32_t found = max_descriptors;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    if (file.device != status.st_dev || file.inode != status.st_ino) continue;
    if (sys(SYS_kcmp, self, self, KCMP_FILE, number, file.fd) != 0) continue;
    if (file.place == Place::standard && file.standard == 1) return i;
    if (found == max_descriptors) found = i;
  }
  return found;
}

void read_owner(int32_t number, OpenFile* file) {
  file->owner_signal = static_cast<int32_t>(sys(SYS_fcntl, number, F_GETSIG));
  file->owner = {};
  if (sys(SYS_fcntl, number, F_GETOWN_EX, pointer(&file->owner)) < 0 || file->owner.pid == 0) return;
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  if (ids != nullptr) file->owner.pid = ids->to_virtual(file->owner.pid);
}

int32_t add_descriptor(int32_t number, void*) {
  struct stat64 status = {};
  if (sys(SYS_fstat, number, pointer(&status)) < 0) return 0;  // closed meanwhile: it was one of the enumeration's own
  if (table.descriptor_count == max_descriptors) return host->fail(-EMFILE, "descriptors", "more than 4096 open descriptors");
  uint32_t index = shared_file(number, status);
  if (index == max_descriptors) {
    index = table.file_count++;
    OpenFile* file = &table.files[index];
    *file = {};
    file->fd = file->keeper_fd = number;
    file->keeper = host->virtual_pid();
    file->layer = -1;
    file->status_flags = static_cast<uint32_t>(sys(SYS_fcntl, number, F_GETFL));
    file->mode = status.st_mode;
    file->device = status.st_dev;
    file->inode = status.st_ino;
    file->rdev = status.st_rdev;
    read_owner(number, file);
    int32_t outside = outside_descriptor(number, status);
    bool read_only = (file->status_flags & O_ACCMODE) == O_RDONLY;
    if (outside == 0 && S_ISREG(status.st_mode) && read_only) file->place = Place::input;
    else if (outside >= 0 && outside < 3) file->place = Place::standard;
    else if (outside >= 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))) file->place = Place::inherited;
    file->standard = outside;
  }
  long fd_flags = sys(SYS_fcntl, number, F_GETFD);
  table.descriptors[table.descriptor_count++] = {number, index, static_cast<uint32_t>(fd_flags)};
  return 0;
}

bool is_marked(int32_t fd) {
  auto* externals = static_cast<const cairn_externals*>(host->extension("cairn.external/1"));
  char name[64];
  return externals != nullptr && externals->marked(fd, name, sizeof name) >= 0;
}

/// All that is in the way is told, not the first one only.
int32_t offer_files() {
  char path[4096];
  int32_t error = 0;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    OpenFile* file = &table.files[i];
    // Also what the first process was started with may be a plugin's.
    if (file->place == Place::inherited && is_marked(file->fd)) file->place = Place::inside;
    if (file->place != Place::inside && file->place != Place::input) continue;
    if (path_of(file->fd, path, sizeof path, &file->deleted) < 0) path[0] = 0;
    cairn_descriptor offer = describe(*file, file->keeper == host->virtual_pid());
    offer.path = path;
    file->layer = host->offer(CAIRN_EVENT_DESCRIPTOR_SAVE, &offer);
    if (file->layer < -1) error = file->layer;
    else if (file->layer < 0 && file->place == Place::input) file->place = Place::standard;
    else if (file->layer < 0) error = refuse(file->fd, kind_name(file->mode, path), path);
    file->token = offer.token;
  }
  return error;
}

}  // namespace

cairn_descriptor describe(const OpenFile& file, bool kept_here) {
  cairn_descriptor data = {};
  data.size = sizeof data;
  data.fd = file.fd;
  data.status_flags = file.status_flags;
  data.mode = file.mode;
  data.device = file.device;
  data.inode = file.inode;
  data.rdev = file.rdev;
  data.token = file.token;
  data.elsewhere = kept_here ? 0 : 1;
  data.deleted = file.deleted ? 1 : 0;
  data.path = "";
  return data;
}

int32_t read_table() {
  forget_objects();
  table.file_count = table.descriptor_count = 0;
  int32_t error = for_each_descriptor(0, add_descriptor, nullptr);
  return error < 0 ? error : tell_objects();
}

int32_t settle_table() {
  int32_t error = find_keepers();
  return error < 0 ? error : offer_files();
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
  if (S_ISREG(mode)) return plugin::begins(path, "/memfd:", &rest) ? "memory file" : "file";
  if (S_ISDIR(mode)) return "directory";
  if (S_ISCHR(mode)) return "character device";
  if (S_ISBLK(mode)) return "block device";
  if (S_ISFIFO(mode)) return path[0] == '/' ? "named pipe" : "pipe";
  if (S_ISSOCK(mode)) return "socket";
  return plugin::begins(path, "anon_inode:", &rest) ? rest : "descriptor of an unknown kind";
}

int32_t for_each_descriptor(int32_t real_pid, int32_t (*visit)(int32_t number, void* context), void* context) {
  Text<64> path;
  // By this thread's id: who reads may be another one.
  if (real_pid == 0) path.add("/proc/").add(host->real_pid()).add("/task/").add(static_cast<int64_t>(sys(SYS_gettid))).add("/fd");
  else path.add("/proc/").add(real_pid).add("/fd");
  constexpr uint32_t capacity = 1024;
  int32_t numbers[capacity];
  for (int64_t from = 0;;) {
    uint32_t count = 0;
    long error = 0;
    plugin::aside(host, [&] {
      count = 0;
      error = plugin::for_each_entry(host, path.text(), [&](long folder, const plugin::KernelDirent& entry) {
        const char* name = entry.name;
        int64_t number = 0;
        if (!plugin::read_number(&name, 10, &number) || number < from) return false;
        if (real_pid == 0 && (number == folder || host->own_fd(static_cast<int32_t>(number)) != 0)) return false;
        numbers[count++] = static_cast<int32_t>(number);
        return count == capacity;
      });
    });
    // A process that has ended meanwhile has none.
    if (error < 0 && real_pid != 0) return 0;
    if (error < 0) return host->fail(static_cast<int32_t>(error), path.text(), "cannot list the open descriptors; is /proc mounted?");
    for (uint32_t i = 0; i < count; ++i) {
      int32_t result = visit(numbers[i], context);
      if (result < 0) return result;
    }
    if (count < capacity) return 0;
    from = int64_t{numbers[count - 1]} + 1;
  }
}

}  // namespace cairn::descriptor
