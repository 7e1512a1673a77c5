// Files that this process has opened for reading, and that no rule leads elsewhere: opening one again needs no look at where it is. What is
// remembered is which file it was, under the path as it was given, and is used only if no process has put something of that name into the
// run folder since (own.h) or hidden anything, and the working folder is the same; and the file that is then opened is compared, which
// finds a link, or another folder, that somebody has put in its place meanwhile. Any context; entries are read and written without a lock.
// Test: tests/path_plugin_test.cc, test/probes/versions.test.ts.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::path {

class Target;

struct KnownFile {
  uint64_t device, inode;
};

/// Whether a file that was opened with these flags may be known.
bool is_plain_reading(int flags);
/// What must be noted before a path is looked up that is to be remembered.
struct Moment {
  int64_t hidden;
  uint32_t changes;
};
Moment moment();
/// After target.open(AT_FDCWD, path, flags) gave 0.
void remember(const char *path, const Target &target, const Moment &before);
bool recall(const char *path, KnownFile &file);
/// Whether this is what is open.
bool is_open(const KnownFile &file, int fd);
/// Before and after the working folder changes, and whenever the rules do.
void forget_known();

}  // namespace cairn::path
