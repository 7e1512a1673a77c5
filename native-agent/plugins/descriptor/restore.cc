// Gives every descriptor its number back, in three steps between which all processes wait for each other: make what this process
// keeps, take what others keep, fill. Context: restoring.
#include <errno.h>
#include <sys/prctl.h>

#include "descriptor/table.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

namespace cairn::descriptor {
namespace {

// The new 0, 1 and 2, out of the way until the end.
int32_t standard[3];
// The new 0 is a file that whoever restarts has chosen.
bool input_given = false;

bool from_outside(const OpenFile& file) { return file.place == Place::standard || (file.place == Place::input && input_given); }
bool owned_by_plugin(const OpenFile& file) { return file.place == Place::inside || (file.place == Place::input && !input_given); }

int32_t fail(int32_t error, const OpenFile& file, const char* what) {
  Text<256> text;
  text.add(what).add(" (descriptor ").add(file.fd).add(")");
  return host->fail(error, kind_name(file.mode, ""), text.text());
}

bool kept_here(const OpenFile& file) { return from_outside(file) || file.keeper == host->virtual_pid(); }

/// What was connected to the outside of the computation finds the other side gone.
int32_t open_without_peer(const OpenFile& file) {
  int32_t ends[2];
  long result = S_ISSOCK(file.mode) ? sys(SYS_socketpair, 1 /* AF_UNIX */, 1 /* SOCK_STREAM */, 0, pointer(ends))
                                    : sys(SYS_pipe2, pointer(ends), 0);
  if (result < 0) return fail(static_cast<int32_t>(result), file, "an inherited descriptor cannot be replaced");
  bool writes = (file.status_flags & O_ACCMODE) == O_WRONLY;
  sys(SYS_close, writes ? ends[0] : ends[1]);
  Text<256> text;
  text.add("descriptor ").add(file.fd).add(" led out of the computation; its other side is gone after the restart");
  host->log(CAIRN_LOG_WARNING, text.text());
  return writes ? ends[1] : ends[0];
}

int32_t open_standard(const OpenFile& file) {
  int32_t now = standard[file.standard];
  if (now < 0) return fail(-EBADF, file, "the restart was started without this standard descriptor");
  uint32_t flags = file.status_flags & ~static_cast<uint32_t>(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_TMPFILE);
  // A terminal that was opened by its name, for reading or writing only, is opened so again.
  bool same_access = ((file.status_flags ^ static_cast<uint32_t>(sys(SYS_fcntl, now, F_GETFL))) & O_ACCMODE) == 0;
  if (S_ISCHR(file.mode) && !same_access && file.fd > 2) {
    Text<64> link;
    link.add("/proc/thread-self/fd/").add(now);
    long reopened = sys(SYS_openat, AT_FDCWD, pointer(link.text()), flags | O_NOCTTY, 0);
    if (reopened >= 0) return static_cast<int32_t>(reopened);
  }
  long copy = sys(SYS_fcntl, now, F_DUPFD, 0);
  if (copy >= 0 && ((file.status_flags ^ static_cast<uint32_t>(sys(SYS_fcntl, copy, F_GETFL))) & O_NONBLOCK) != 0) {
    sys(SYS_fcntl, copy, F_SETFL, static_cast<long>(file.status_flags));
  }
  return static_cast<int32_t>(copy);
}

int32_t make(const OpenFile& file) {
  if (from_outside(file)) return open_standard(file);
  if (file.place == Place::inherited) return open_without_peer(file);
  cairn_descriptor data = describe(file, true);
  data.fd = -1;
  int32_t result = host->deliver(file.layer, CAIRN_EVENT_DESCRIPTOR_RESTORE, &data);
  if (result < 0) return result;
  return data.fd < 0 ? fail(-EBADF, file, "its plugin did not bring it back") : data.fd;
}

int32_t take(const OpenFile& file) {
  int64_t real = 0;
  if (host->get_name(CAIRN_NAMES_PROCESS, file.keeper, &real) < 0) return fail(-ESRCH, file, "the process that shares it is not there");
  long process = sys(SYS_pidfd_open, real, 0);
  if (process < 0) return fail(static_cast<int32_t>(process), file, "the process that shares it cannot be reached (pidfd_open, Linux 5.3)");
  long fd = sys(SYS_pidfd_getfd, process, file.keeper_fd, 0);
  sys(SYS_close, process);
  if (fd < 0) return fail(static_cast<int32_t>(fd), file, "it cannot be taken over from the process that shares it (pidfd_getfd, Linux 5.6)");
  return static_cast<int32_t>(fd);
}

/// Gives a new descriptor all the numbers of its open file description.
int32_t place(uint32_t index, int32_t fd) {
  const OpenFile& file = table.files[index];
  bool needed = false;
  for (uint32_t i = 0; i < table.descriptor_count; ++i) {
    const Descriptor& wanted = table.descriptors[i];
    if (wanted.file != index) continue;
    if (fd == wanted.number) needed = true;
    else if (long moved = sys(SYS_dup3, fd, wanted.number, 0); moved < 0) {
      return fail(static_cast<int32_t>(moved), file, "a descriptor cannot have its number back");
    }
    sys(SYS_fcntl, wanted.number, F_SETFD, wanted.fd_flags);
  }
  if (!needed) sys(SYS_close, fd);
  return 0;
}

int32_t close_visitor(int32_t number, void*) {
  sys(SYS_close, number);
  return 0;
}

/// A number that a descriptor to come needs must not be taken by one that a plugin still holds: those are hidden, high ones.
int32_t restore(bool kept, int32_t (*open)(const OpenFile&)) {
  for (uint32_t i = 0; i < table.file_count; ++i) {
    if (kept_here(table.files[i]) != kept) continue;
    int32_t fd = open(table.files[i]);
    if (fd < 0) return fd;
    if (int32_t error = place(i, fd); error < 0) return error;
  }
  return 0;
}

void set_owner(const OpenFile& file) {
  if (file.owner_signal > 0) sys(SYS_fcntl, file.fd, F_SETSIG, file.owner_signal);
  if (file.owner.pid == 0) return;
  auto* ids = static_cast<const cairn_ids*>(host->extension("cairn.ids/1"));
  struct f_owner_ex owner = file.owner;
  if (ids != nullptr) owner.pid = ids->to_real(owner.pid);
  sys(SYS_fcntl, file.fd, F_SETOWN_EX, pointer(&owner));
}

}  // namespace

int32_t begin_restore() {
  for (int32_t i = 0; i < 3; ++i) {
    struct stat64 status;
    bool open = sys(SYS_fstat, i, pointer(&status)) == 0;
    if (i == 0) input_given = open && S_ISREG(status.st_mode);
    standard[i] = open ? host->hide_fd(i) : -1;
  }
  // For the others that take descriptors from here; where Yama is not there it fails harmlessly.
  sys(SYS_prctl, PR_SET_PTRACER, -1);
  return for_each_descriptor(0, close_visitor, nullptr);
}

int32_t make_kept() { return restore(true, make); }

int32_t take_shared() { return restore(false, take); }

void end_restore() { sys(SYS_prctl, PR_SET_PTRACER, 0); }

int32_t fill() {
  for (int32_t& fd : standard) {
    if (fd >= 0) host->close_fd(fd);
    fd = -1;
  }
  note_outside_again();
  for (uint32_t i = 0; i < table.file_count; ++i) {
    const OpenFile& file = table.files[i];
    if (kept_here(file)) set_owner(file);
    if (!owned_by_plugin(file)) continue;
    cairn_descriptor data = describe(file, kept_here(file));
    int32_t result = host->deliver(file.layer, CAIRN_EVENT_DESCRIPTOR_FILL, &data);
    if (result < 0) return result;
  }
  return 0;
}

}  // namespace cairn::descriptor
