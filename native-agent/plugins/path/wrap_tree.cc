// Interposes on ftw and nftw: libc's walk by calls of its own, past every wrapper, so that where rules apply the walk is made here,
// by the functions that are wrapped. A folder is read as a whole before its entries are visited: one descriptor is open at a time.
// Test: test/probes/paths.test.ts.
#include "wrap.h"

#include <dirent.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

using namespace cairn::path;

namespace {

using Visit = int (*)(const char *, const struct stat *, int, struct FTW *);
using PlainVisit = int (*)(const char *, const struct stat *, int);

struct Names {
  char *bytes = nullptr;
  size_t used = 0, room = 0;
  ~Names() { free(bytes); }
  bool add(const char *name) {
    size_t size = strlen(name) + 1;
    if (used + size > room) {
      size_t larger = (room + size) * 2 + 1024;
      char *grown = static_cast<char *>(realloc(bytes, larger));
      if (grown == nullptr) return false;
      bytes = grown;
      room = larger;
    }
    memcpy(bytes + used, name, size);
    used += size;
    return true;
  }
};

class TreeWalk {
 public:
  TreeWalk(Visit visit, PlainVisit plain, int flags) : visit_(visit), plain_(plain), flags_(flags) {}
  ~TreeWalk() { free(seen_); }

  int run(const char *root) {
    char *folder = (flags_ & FTW_CHDIR) != 0 ? getcwd(nullptr, 0) : nullptr;
    size_t length = strlen(root);
    char *path = static_cast<char *>(malloc(length + 1));
    if (path == nullptr) return -1;
    memcpy(path, root, length + 1);
    while (length > 1 && path[length - 1] == '/') path[--length] = 0;
    size_t base = length;
    while (base > 0 && path[base - 1] != '/') --base;
    int result = visit(path, static_cast<int>(base), 0);
    free(path);
    if (folder != nullptr && chdir(folder) != 0 && result == 0) result = -1;
    free(folder);
    if ((flags_ & FTW_ACTIONRETVAL) != 0 && (result == FTW_SKIP_SUBTREE || result == FTW_SKIP_SIBLINGS)) return 0;
    return result;
  }

 private:
  struct Id {
    dev_t device;
    ino_t inode;
  };

  int tell(const char *path, const struct stat &status, int type, int base, int level) {
    if (plain_ != nullptr) return plain_(path, &status, type == FTW_DP ? FTW_D : type == FTW_SLN ? FTW_NS : type);
    struct FTW info = {base, level};
    return visit_(path, &status, type, &info);
  }

  bool is_new(const struct stat &status) {
    for (size_t i = 0; i < seen_count_; ++i)
      if (seen_[i].device == status.st_dev && seen_[i].inode == status.st_ino) return false;
    if (seen_count_ == seen_room_) {
      size_t room = seen_room_ * 2 + 64;
      auto *grown = static_cast<Id *>(realloc(seen_, room * sizeof(Id)));
      if (grown == nullptr) return true;
      seen_ = grown;
      seen_room_ = room;
    }
    seen_[seen_count_++] = {status.st_dev, status.st_ino};
    return true;
  }

  int look(const char *path, struct stat *status) {
    memset(status, 0, sizeof *status);
    bool physical = (flags_ & FTW_PHYS) != 0;
    if ((physical ? lstat(path, status) : stat(path, status)) == 0) {
      if (S_ISDIR(status->st_mode)) return FTW_D;
      return S_ISLNK(status->st_mode) ? FTW_SL : FTW_F;
    }
    if (errno != EACCES && errno != ENOENT) return -1;
    if (!physical && lstat(path, status) == 0 && S_ISLNK(status->st_mode)) return FTW_SLN;
    return FTW_NS;
  }

  int visit(char *path, int base, int level) {
    struct stat status;
    int type = look(path, &status);
    if (type < 0 || (level == 0 && type == FTW_NS)) return -1;
    if (level == 0) device_ = status.st_dev;
    if ((flags_ & FTW_MOUNT) != 0 && type != FTW_NS && status.st_dev != device_) return 0;
    if (type != FTW_D) return tell(path, status, type, base, level);
    if ((flags_ & FTW_PHYS) == 0 && !is_new(status)) return 0;
    Names names;
    bool readable = list(path, &names);
    if (!readable && errno != EACCES) return -1;
    if (!readable) return tell(path, status, FTW_DNR, base, level);
    int result = 0;
    if ((flags_ & FTW_DEPTH) == 0 && (result = tell(path, status, FTW_D, base, level)) != 0)
      return (flags_ & FTW_ACTIONRETVAL) != 0 && result == FTW_SKIP_SUBTREE ? 0 : result;
    if ((flags_ & FTW_CHDIR) != 0 && chdir(path) != 0) return -1;
    result = children(path, names, level);
    if (result == 0 && (flags_ & FTW_CHDIR) != 0 && base > 0) {
      char kept = path[base];
      path[base] = 0;
      if (chdir(path) != 0) result = -1;
      path[base] = kept;
    }
    if (result == 0 && (flags_ & FTW_DEPTH) != 0) result = tell(path, status, FTW_DP, base, level);
    return result;
  }

  int children(const char *path, const Names &names, int level) {
    size_t length = strlen(path);
    for (size_t at = 0; at < names.used; at += strlen(names.bytes + at) + 1) {
      const char *name = names.bytes + at;
      size_t size = strlen(name) + 1;
      char *child = static_cast<char *>(malloc(length + size + 1));
      if (child == nullptr) return -1;
      memcpy(child, path, length);
      size_t base = length;
      if (length == 0 || path[length - 1] != '/') child[base++] = '/';
      memcpy(child + base, name, size);
      int result = visit(child, static_cast<int>(base), level + 1);
      free(child);
      if ((flags_ & FTW_ACTIONRETVAL) != 0 && result == FTW_SKIP_SIBLINGS) return 0;
      if ((flags_ & FTW_ACTIONRETVAL) != 0 && result == FTW_SKIP_SUBTREE) continue;
      if (result != 0) return result;
    }
    return 0;
  }

  static bool list(const char *path, Names *names) {
    DIR *folder = opendir(path);
    if (folder == nullptr) return false;
    bool whole = true;
    while (struct dirent *entry = readdir(folder))
      if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) whole = names->add(entry->d_name) && whole;
    closedir(folder);
    if (!whole) errno = ENOMEM;
    return whole;
  }

  Visit visit_;
  PlainVisit plain_;
  int flags_;
  dev_t device_ = 0;
  Id *seen_ = nullptr;
  size_t seen_count_ = 0, seen_room_ = 0;
};

/// libc has one for programs of before 2003, which does not know all flags and which dlsym prefers.
template <typename Function>
Function *newer(const char *name, Function *otherwise) {
  void *found = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.3");
  return found != nullptr ? reinterpret_cast<Function *>(found) : otherwise;
}

}  // namespace

// On x86-64 struct stat64 is struct stat.
#define WRAP_WALKS(plain, flagged)                                                                       \
  WRAP(int, plain, const char *path, PlainVisit visit, int descriptors) {                                 \
    if (inactive()) return NEXT(plain)(path, visit, descriptors);                                         \
    return TreeWalk(nullptr, visit, 0).run(path);                                                             \
  }                                                                                                       \
  WRAP(int, flagged, const char *path, Visit visit, int descriptors, int flags) {                          \
    if (inactive()) return newer(#flagged, NEXT(flagged))(path, visit, descriptors, flags);                \
    return TreeWalk(visit, nullptr, flags).run(path);                                                          \
  }
WRAP_WALKS(ftw, nftw)
WRAP_WALKS(ftw64, nftw64)
