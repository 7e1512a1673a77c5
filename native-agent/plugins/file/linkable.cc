// See linkable.h. The first process that comes to it makes the file and keeps a hidden descriptor, by which all others open it. One open file
// description is the kernel's own of such a file: that one shows O_TMPFILE, by which the next checkpoint knows the file.
// Test: test/probes/files/given_names.c
#include "linkable.h"

#include <errno.h>
#include <fcntl.h>

#include "common/handles.h"

namespace cairn::file {
namespace {

constexpr uint32_t makers = plugin::name_space("file.linkable.maker");
constexpr uint32_t handles = plugin::name_space("file.linkable");
constexpr uint32_t nameless = O_TMPFILE & ~O_DIRECTORY;

int64_t key_of(const OpenFile& file) { return plugin::file_key(file.device, file.inode); }

/// Of each that this process has made: its index in the table.
uint32_t made[max_files];
uint32_t made_count = 0;

}  // namespace

int32_t make_linkable(uint32_t index, const char* folder) {
  const OpenFile& file = table.files[index];
  if (!file.unlinked || (file.status_flags & nameless) == 0 || plugin::elected(host, makers, key_of(file)) != 1) return -ENOENT;
  for (uint32_t i = 0; i < made_count; ++i) {
    if (key_of(table.files[made[i]]) == key_of(file)) return -ENOENT;
  }
  uint32_t access = file.status_flags & O_ACCMODE;
  long fd = sys(SYS_openat, AT_FDCWD, pointer(folder), O_TMPFILE | O_CLOEXEC | O_LARGEFILE | access, file.mode & 07777);
  if (fd < 0) return -ENOENT;
  sys(SYS_fchmod, fd, file.mode & 07777);
  int32_t hidden = plugin::hide_handle(host, fd);
  if (hidden < 0) return hidden;
  made[made_count++] = index;
  plugin::publish_handle(host, handles, key_of(file), hidden);
  return hidden;
}

int32_t open_linkable(uint32_t index, uint32_t flags) {
  int64_t holder = 0;
  const OpenFile& file = table.files[index];
  if (!file.unlinked || host->get_name(handles, key_of(file), &holder) < 0) return -ENOENT;
  for (uint32_t i = 0; i < made_count; ++i) {
    if (made[i] != index) continue;
    long fd = sys(SYS_fcntl, holder & 0x7fffffff, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) sys(SYS_fcntl, fd, F_SETFL, static_cast<long>(flags));
    return static_cast<int32_t>(fd);
  }
  Text<64> link;
  link.add("/proc/").add(holder >> 32).add("/fd/").add(holder & 0x7fffffff);
  return static_cast<int32_t>(sys(SYS_openat, AT_FDCWD, pointer(link.text()), static_cast<long>(flags), 0));
}

void end_linkable() {
  for (uint32_t i = 0; i < made_count; ++i) {
    int64_t key = key_of(table.files[made[i]]), holder = 0;
    if (host->get_name(handles, key, &holder) == 0) host->close_fd(static_cast<int32_t>(holder & 0x7fffffff));
    host->remove_name(handles, key);
    host->remove_name(makers, key);
  }
  made_count = 0;
}

}  // namespace cairn::file
