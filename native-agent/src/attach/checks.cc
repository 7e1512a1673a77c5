#include "attach/checks.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attach/safe_point.h"
#include "attach/thread.h"

namespace cairn::attach {
namespace {

[[gnu::format(printf, 1, 2)]] Reason because(const char* format, ...) {
  Reason reason;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reason.text, sizeof reason.text, format, arguments);
  va_end(arguments);
  return reason;
}

struct Status {
  bool there = false;
  char state = 0;
  unsigned uid[3] = {};
  unsigned gid[3] = {};
  int tracer = 0;
  int parent = 0;
  int threads = 0;
  int seccomp = 0;
  unsigned long long capabilities = 0;
};

Status read_status(pid_t pid) {
  Status status;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE* file = fopen(path, "re");
  if (file == nullptr) return status;
  char line[512];
  while (fgets(line, sizeof line, file) != nullptr) {
    status.there = true;
    sscanf(line, "State: %c", &status.state);
    sscanf(line, "Uid: %u %u %u", &status.uid[0], &status.uid[1], &status.uid[2]);
    sscanf(line, "Gid: %u %u %u", &status.gid[0], &status.gid[1], &status.gid[2]);
    sscanf(line, "TracerPid: %d", &status.tracer);
    sscanf(line, "PPid: %d", &status.parent);
    sscanf(line, "Threads: %d", &status.threads);
    sscanf(line, "Seccomp: %d", &status.seccomp);
    sscanf(line, "CapPrm: %llx", &status.capabilities);
  }
  fclose(file);
  return status;
}

void name_of(pid_t pid, char* name, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 ? 0 : read(fd, name, size - 1);
  if (fd >= 0) close(fd);
  name[count > 0 ? count - 1 : 0] = 0;
}

bool same_namespace(pid_t pid, const char* kind) {
  char theirs[64], ours[64];
  snprintf(theirs, sizeof theirs, "/proc/%d/ns/%s", pid, kind);
  snprintf(ours, sizeof ours, "/proc/self/ns/%s", kind);
  struct stat a = {}, b = {};
  return stat(theirs, &a) != 0 || stat(ours, &b) != 0 || (a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

bool same_root(pid_t pid) {
  char theirs[64];
  snprintf(theirs, sizeof theirs, "/proc/%d/root/", pid);
  struct stat a = {}, b = {};
  return stat(theirs, &a) != 0 || stat("/", &b) != 0 || (a.st_ino == b.st_ino && a.st_dev == b.st_dev);
}

/// A thread "cairn-agent" and our library: its session, if its environment names one.
bool is_under_cairn(pid_t pid) {
  char path[64], name[300];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* folder = opendir(path);
  bool found = false;
  while (folder != nullptr && !found) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) break;
    name_of(atoi(entry->d_name), name, sizeof name);
    found = strcmp(name, "cairn-agent") == 0;
  }
  if (folder != nullptr) closedir(folder);
  return found;
}

/// Between vfork and exec a child has its parent's memory, and the parent waits within that call.
bool is_being_started(pid_t pid, pid_t parent) {
  // 1 and 2: it has memory of its own, and the parent starts another one.
  if (syscall(SYS_kcmp, parent, pid, KCMP_VM, 0, 0) > 0) return false;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", parent);
  DIR* folder = opendir(path);
  bool found = false;
  while (folder != nullptr && !found) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) break;
    if (entry->d_name[0] == '.') continue;
    long call = waiting_call(parent, atoi(entry->d_name));
    found = call == SYS_vfork || call == SYS_clone || call == SYS_clone3;
  }
  if (folder != nullptr) closedir(folder);
  return found;
}

/// What its file says of it.
Reason check_program(pid_t pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? because("it is a kernel thread") : because("its program cannot be read: %s", strerror(errno));
  Elf64_Ehdr header = {};
  bool whole = pread(fd, &header, sizeof header, 0) == sizeof header;
  bool wide = whole && header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_machine == EM_X86_64;
  bool has_loader = false;
  char loader[256] = {};
  for (unsigned i = 0; wide && i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (pread(fd, &segment, sizeof segment, static_cast<off_t>(header.e_phoff + i * sizeof segment)) != sizeof segment) break;
    if (segment.p_type != PT_INTERP) continue;
    has_loader = true;
    size_t size = segment.p_filesz < sizeof loader ? segment.p_filesz : sizeof loader - 1;
    if (pread(fd, loader, size, static_cast<off_t>(segment.p_offset)) < 0) loader[0] = 0;
  }
  close(fd);
  if (!wide) return because("it is not a 64-bit x86 program, and Cairn attaches only those; start it with cairn run");
  if (!has_loader) return because("it is statically linked: no library can be loaded into it. Link it dynamically");
  if (strstr(loader, "ld-musl") != nullptr) {
    return because("it uses the C library musl (%s), and Cairn's agent needs the GNU C library", loader);
  }
  return {};
}

/// A thread of it may be just loading or unloading a library, and a program may do so most of its time.
bool find_modules(Target* target) {
  constexpr double patience = 4;
  for (const double begun = now(); !target->find_modules();) {
    if (now() - begun > patience || !read_status(target->pid()).there) return false;
    struct timespec pause = {0, 2'000'000};
    nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace

Reason why_no_ptrace(pid_t pid, int error) {
  Status status = read_status(pid);
  if (status.tracer != 0) {
    char name[64];
    name_of(status.tracer, name, sizeof name);
    return because("it is traced by %s (process %d); detach that first", name, status.tracer);
  }
  char scope = '0';
  int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
  if (fd >= 0) {
    if (read(fd, &scope, 1) != 1) scope = '0';
    close(fd);
  }
  if (error == EPERM && scope != '0') {
    return because("this system lets no process trace one that is not its child (kernel.yama.ptrace_scope is %c); "
                   "as an administrator: sysctl kernel.yama.ptrace_scope=0", scope);
  }
  return because("the kernel does not let this process trace it: %s", strerror(error));
}

Reason why_not(Target* target) {
  pid_t pid = target->pid();
  Status status = read_status(pid);
  if (!status.there) return because("there is no such process");
  if (status.state == 'Z' && status.threads > 1) {
    return because("its first thread has ended (pthread_exit in main), while others go on: the kernel shows neither the program nor the memory "
                   "of such a process under its id; start it with cairn run");
  }
  if (status.state == 'Z' || status.state == 'X') return because("it has ended");
  if (status.uid[0] != status.uid[1] || status.uid[0] != status.uid[2] || status.gid[0] != status.gid[1]) {
    return because("it runs with another user's or group's rights (set-id)");
  }
  if (status.uid[0] != getuid()) return because("it belongs to another user (%u)", status.uid[0]);
  if ((status.capabilities & ~read_status(getpid()).capabilities) != 0) return because("it has capabilities that you have not");
  if (status.tracer != 0) return why_no_ptrace(pid, EPERM);
  if (status.seccomp != 0) return because("it restricts its own system calls (seccomp), which might kill it when Cairn comes in");
  if (status.state == 'T' || status.state == 't') return because("it is stopped; let it go on first (kill -CONT %d)", pid);
  static const char* const kinds[] = {"user", "mnt", "pid"};
  for (const char* kind : kinds) {
    if (!same_namespace(pid, kind)) return because("it is in another %s namespace (a container); attach it from within", kind);
  }
  if (!same_root(pid)) return because("it has another root folder (chroot)");
  if (is_under_cairn(pid)) return because("it is under Cairn already");
  if (is_being_started(pid, status.parent)) return because("its parent is just starting it; try again");
  Reason reason = check_program(pid);
  if (!reason.empty()) return reason;
  if (!target->open()) {
    if (errno == EACCES || errno == EPERM) return why_no_ptrace(pid, errno);
    return because("its memory cannot be read: %s", strerror(errno));
  }
  if (!find_modules(target)) return because("its loader has not finished, or its libraries cannot be listed; try again");
  Symbol symbol;
  if (target->definer("gnu_get_libc_version", &symbol) == nullptr) {
    return because("it does not use the GNU C library, which Cairn's agent needs");
  }
  return {};
}

}  // namespace cairn::attach
