// What a wrapper passes on to libc instead of its caller's (folder, path), by what it is about to do there. Any context; lives
// on the wrapper's stack. After a function returned 0, `dirfd` and `path` are to be used; -errno is what the wrapper fails with.
#pragma once
#include "locate.h"
#include "walk.h"

namespace cairn::path {

class Target {
 public:
  Target() = default;
  Target(const Target &) = delete;
  Target &operator=(const Target &) = delete;
  ~Target() { close_copy(); }

  int dirfd = 0;
  const char *path = nullptr;

  /// Looks at what is there (stat, access, open for reading).
  int look(int folder, const char *given, bool follow);
  /// As look, following links, but of a folder in several layers the lowest: so that programs without
  /// Cairn see the original one too.
  int look_folder(int folder, const char *given);
  /// Changes what is there: its attributes, its content (truncate: which nobody needs any more).
  int change(int folder, const char *given, bool follow, bool truncate = false);
  /// Makes a new name (mkdir, mknod, symlink, the new name of a link).
  int create(int folder, const char *given);
  /// open(2) with these flags.
  int open(int folder, const char *given, int flags);
  /// Removes a name. 1: done, without libc; 0: libc's function is to be called, and then removed() if it succeeded.
  int remove(int folder, const char *given, bool is_folder);
  void removed();

  Where where() const { return where_; }
  const PathText &virtual_path() const { return walk_.path; }
  /// False: no rule applied, dirfd and path are the caller's.
  bool touched() const { return touched_; }
  uint32_t mode() const { return found_.mode; }
  uint64_t device() const { return found_.device; }
  uint64_t inode() const { return found_.inode; }
  /// A file to which what was given leads without a rule and without a link.
  bool is_plain_file() const;
  bool exists() const { return found_.error == 0 && where_ != Where::kAbsent; }
  /// Brings what is in a lower layer to the top one, if it can be (files, folders, links). 0 or -errno.
  int raise(bool follow, bool truncate);
  /// The same with all that is below a folder.
  int raise_tree();
  /// Makes ready for something to be put here under this name, in place of what may be there. 0 or -errno.
  int replace();
  bool overlaid() const { return where_ == Where::kTop || where_ == Where::kLower || where_ == Where::kAbsent; }
  /// The kernel's path, "/" for the root.
  const char *real() const { return found_.real.length != 0 ? found_.real.text : "/"; }
  int32_t layer() const { return found_.layer; }
  /// In /proc; virtual_path() is the path there as it was given.
  bool proc() const { return proc_; }

 private:
  int resolve(int folder, const char *given, bool follow);
  int use_real();
  void use_copy(int fd);
  void close_copy();

  Walk walk_;
  Found found_;
  Where where_ = Where::kNone;
  bool touched_ = false;
  bool proc_ = false;
  int copy_ = -1;  // what is opened in place of a file of /proc; closed when libc has opened it
};

}  // namespace cairn::path
