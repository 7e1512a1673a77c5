// Owns: the paths in syscall(2). Programs that bring their own way to the newer calls (libuv's statx) mean the same files as those that
// call libc: the functions that are wrapped under their own names do it. From the first restart on; before, a path is what it is.
// [any] Tests: test/probes/files/raw_paths.c, test/programs/node.test.ts
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pid/host.h"

namespace cairn::pid {
namespace {

const char* path(long argument) { return reinterpret_cast<const char*>(argument); }
int number(long argument) { return static_cast<int>(argument); }

long current_folder(char* buffer, size_t size) { return getcwd(buffer, size) == nullptr ? -1 : static_cast<long>(strlen(buffer)) + 1; }

}  // namespace

bool call_with_paths(long which, const long* a, long* result) {
  switch (which) {
    case SYS_statx: *result = statx(number(a[0]), path(a[1]), number(a[2]), static_cast<unsigned>(a[3]), reinterpret_cast<struct statx*>(a[4])); return true;
    case SYS_newfstatat: *result = fstatat64(number(a[0]), path(a[1]), reinterpret_cast<struct stat64*>(a[2]), number(a[3])); return true;
    case SYS_openat: *result = openat(number(a[0]), path(a[1]), number(a[2]), static_cast<mode_t>(a[3])); return true;
    case SYS_faccessat: *result = faccessat(number(a[0]), path(a[1]), number(a[2]), 0); return true;
    case SYS_faccessat2: *result = faccessat(number(a[0]), path(a[1]), number(a[2]), number(a[3])); return true;
    case SYS_unlinkat: *result = unlinkat(number(a[0]), path(a[1]), number(a[2])); return true;
    case SYS_mkdirat: *result = mkdirat(number(a[0]), path(a[1]), static_cast<mode_t>(a[2])); return true;
    case SYS_renameat: *result = renameat(number(a[0]), path(a[1]), number(a[2]), path(a[3])); return true;
    case SYS_renameat2: *result = renameat2(number(a[0]), path(a[1]), number(a[2]), path(a[3]), static_cast<unsigned>(a[4])); return true;
    case SYS_linkat: *result = linkat(number(a[0]), path(a[1]), number(a[2]), path(a[3]), number(a[4])); return true;
    case SYS_symlinkat: *result = symlinkat(path(a[0]), number(a[1]), path(a[2])); return true;
    case SYS_readlinkat: *result = readlinkat(number(a[0]), path(a[1]), reinterpret_cast<char*>(a[2]), static_cast<size_t>(a[3])); return true;
    case SYS_fchmodat: *result = fchmodat(number(a[0]), path(a[1]), static_cast<mode_t>(a[2]), 0); return true;
    case SYS_openat2: {
      // With rules of its own for links and mount points it goes on as it came.
      auto* how = reinterpret_cast<const uint64_t*>(a[2]);
      if (static_cast<uint64_t>(a[3]) < 24 || how == nullptr || how[2] != 0) return false;
      *result = openat(number(a[0]), path(a[1]), static_cast<int>(how[0]), static_cast<mode_t>(how[1]));
      return true;
    }
    case SYS_fchownat: *result = fchownat(number(a[0]), path(a[1]), static_cast<uid_t>(a[2]), static_cast<gid_t>(a[3]), number(a[4])); return true;
    case SYS_utimensat:
      if (a[1] == 0) return false;
      *result = utimensat(number(a[0]), path(a[1]), reinterpret_cast<const struct timespec*>(a[2]), number(a[3]));
      return true;
    case SYS_mknodat: *result = mknodat(number(a[0]), path(a[1]), static_cast<mode_t>(a[2]), static_cast<dev_t>(a[3])); return true;
    case SYS_truncate: *result = truncate(path(a[0]), a[1]); return true;
    case SYS_statfs: *result = statfs(path(a[0]), reinterpret_cast<struct statfs*>(a[1])); return true;
    case SYS_inotify_add_watch: *result = inotify_add_watch(number(a[0]), path(a[1]), static_cast<uint32_t>(a[2])); return true;
    case SYS_getxattr: *result = getxattr(path(a[0]), path(a[1]), reinterpret_cast<void*>(a[2]), static_cast<size_t>(a[3])); return true;
    case SYS_lgetxattr: *result = lgetxattr(path(a[0]), path(a[1]), reinterpret_cast<void*>(a[2]), static_cast<size_t>(a[3])); return true;
    case SYS_listxattr: *result = listxattr(path(a[0]), reinterpret_cast<char*>(a[1]), static_cast<size_t>(a[2])); return true;
    case SYS_llistxattr: *result = llistxattr(path(a[0]), reinterpret_cast<char*>(a[1]), static_cast<size_t>(a[2])); return true;
    case SYS_setxattr:
      *result = setxattr(path(a[0]), path(a[1]), reinterpret_cast<const void*>(a[2]), static_cast<size_t>(a[3]), number(a[4]));
      return true;
    case SYS_lsetxattr:
      *result = lsetxattr(path(a[0]), path(a[1]), reinterpret_cast<const void*>(a[2]), static_cast<size_t>(a[3]), number(a[4]));
      return true;
    case SYS_removexattr: *result = removexattr(path(a[0]), path(a[1])); return true;
    case SYS_lremovexattr: *result = lremovexattr(path(a[0]), path(a[1])); return true;
    case SYS_execve: *result = execve(path(a[0]), reinterpret_cast<char* const*>(a[1]), reinterpret_cast<char* const*>(a[2])); return true;
    case SYS_chdir: *result = chdir(path(a[0])); return true;
    case SYS_fchdir: *result = fchdir(number(a[0])); return true;
    case SYS_getcwd: *result = current_folder(reinterpret_cast<char*>(a[0]), static_cast<size_t>(a[1])); return true;
#ifdef SYS_open
    case SYS_open: *result = open(path(a[0]), number(a[1]), static_cast<mode_t>(a[2])); return true;
#if __SIZEOF_POINTER__ == 8
    case SYS_stat: *result = stat(path(a[0]), reinterpret_cast<struct stat*>(a[1])); return true;
    case SYS_lstat: *result = lstat(path(a[0]), reinterpret_cast<struct stat*>(a[1])); return true;
#else  // what has the numbers of those two has a structure of its own, of which libc knows nothing
    case SYS_stat64: *result = stat64(path(a[0]), reinterpret_cast<struct stat64*>(a[1])); return true;
    case SYS_lstat64: *result = lstat64(path(a[0]), reinterpret_cast<struct stat64*>(a[1])); return true;
#endif
    case SYS_access: *result = access(path(a[0]), number(a[1])); return true;
    case SYS_creat: *result = creat(path(a[0]), static_cast<mode_t>(a[1])); return true;
    case SYS_chmod: *result = chmod(path(a[0]), static_cast<mode_t>(a[1])); return true;
    case SYS_chown: *result = chown(path(a[0]), static_cast<uid_t>(a[1]), static_cast<gid_t>(a[2])); return true;
    case SYS_lchown: *result = lchown(path(a[0]), static_cast<uid_t>(a[1]), static_cast<gid_t>(a[2])); return true;
    case SYS_link: *result = link(path(a[0]), path(a[1])); return true;
    case SYS_symlink: *result = symlink(path(a[0]), path(a[1])); return true;
    case SYS_mknod: *result = mknod(path(a[0]), static_cast<mode_t>(a[1]), static_cast<dev_t>(a[2])); return true;
    case SYS_unlink: *result = unlink(path(a[0])); return true;
    case SYS_rmdir: *result = rmdir(path(a[0])); return true;
    case SYS_mkdir: *result = mkdir(path(a[0]), static_cast<mode_t>(a[1])); return true;
    case SYS_rename: *result = rename(path(a[0]), path(a[1])); return true;
    case SYS_readlink: *result = readlink(path(a[0]), reinterpret_cast<char*>(a[1]), static_cast<size_t>(a[2])); return true;
#endif
    default: return false;
  }
}

}  // namespace cairn::pid
