// See nameless.h. The first process that comes to it makes the file and keeps a hidden descriptor, by which all others open it. One open file
// description is the kernel's own of a file that never had a name: that one shows O_TMPFILE, by which the next checkpoint knows it.
// Tests: test/probes/files/given_names.c, memory/unlinked.c; test/probes/refusals.test.ts
#include "nameless.h"

#include <errno.h>
#include <fcntl.h>

#include "common/handles.h"

namespace cairn::file {
namespace {

constexpr uint32_t makers = plugin::name_space("file.nameless.maker");
constexpr uint32_t handles = plugin::name_space("file.nameless");

int64_t key_of(const OpenFile& file) { return plugin::file_key(file.device, file.inode); }

/// Of each that this process has made: its index in the table.
uint32_t made[max_files];
uint32_t made_count = 0;

}  // namespace

bool is_linkable(const OpenFile& file) {
  constexpr uint32_t flag = O_TMPFILE & ~O_DIRECTORY;
  return file.unlinked && (file.status_flags & flag) != 0;
}

int32_t make_nameless(uint32_t index, const char* folder) {
  const OpenFile& file = table.files[index];
  int32_t chosen = plugin::elected(host, makers, key_of(file));
  if (chosen != 1) return chosen < 0 ? chosen : -EEXIST;
  for (uint32_t i = 0; i < made_count; ++i) {
    if (key_of(table.files[made[i]]) == key_of(file)) return -EEXIST;
  }
  uint32_t access = is_linkable(file) ? file.status_flags & O_ACCMODE : O_RDWR;
  long fd = sys(SYS_openat, AT_FDCWD, pointer(folder), O_TMPFILE | O_CLOEXEC | O_LARGEFILE | access, file.mode & 07777);
  if (fd < 0) return -ENOENT;
  sys(SYS_fchmod, fd, file.mode & 07777);
  plugin::allow_many_handles(host);
  int32_t hidden = plugin::hide_handle(host, fd);
  if (hidden < 0) return hidden;
  made[made_count++] = index;
  plugin::publish_handle(host, handles, key_of(file), hidden);
  return hidden;
}

int32_t open_nameless(uint32_t index, uint32_t flags, const char* place) {
  int64_t holder = 0;
  const OpenFile& file = table.files[index];
  if (!file.unlinked || host->get_name(handles, key_of(file), &holder) < 0) return -ENOENT;
  for (uint32_t i = 0; is_linkable(file) && i < made_count; ++i) {
    if (made[i] != index) continue;
    long fd = sys(SYS_fcntl, holder & 0x7fffffff, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) sys(SYS_fcntl, fd, F_SETFL, static_cast<long>(flags));
    return static_cast<int32_t>(fd);
  }
  Text<64> link;
  link.add("/proc/").add(holder >> 32).add("/fd/").add(holder & 0x7fffffff);
  if ((flags & O_NOFOLLOW) == 0) return static_cast<int32_t>(sys(SYS_openat, AT_FDCWD, pointer(link.text()), static_cast<long>(flags), 0));
  // The flag is seen by F_GETFL, and such a link is one that is not followed: for a moment it has a name.
  Text<4096> name;
  name.add(place).add("-").add(int64_t{host->real_pid()});
  long result = sys(SYS_linkat, AT_FDCWD, pointer(link.text()), AT_FDCWD, pointer(name.text()), AT_SYMLINK_FOLLOW);
  if (result < 0) return static_cast<int32_t>(result);
  result = sys(SYS_openat, AT_FDCWD, pointer(name.text()), static_cast<long>(flags), 0);
  sys(SYS_unlink, pointer(name.text()));
  return static_cast<int32_t>(result);
}

void end_nameless() {
  for (uint32_t i = 0; i < made_count; ++i) {
    int64_t key = key_of(table.files[made[i]]), holder = 0;
    if (host->get_name(handles, key, &holder) == 0) host->close_fd(static_cast<int32_t>(holder & 0x7fffffff));
    host->remove_name(handles, key);
    host->remove_name(makers, key);
  }
  made_count = 0;
}

}  // namespace cairn::file
