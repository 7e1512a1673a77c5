// Files named in syscall(2), as programs do that bring their own way to newer calls: the same ones that libc's functions mean.
// sabotage: call close @log
#include "../probe.h"
#include <linux/stat.h>
#include <sys/stat.h>

static long size_of(const char *path) {
  struct statx status;
  CHECK(syscall(SYS_statx, AT_FDCWD, path, 0, STATX_SIZE, &status) == 0, "statx %s", path);
  return (long)status.stx_size;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int log = (int)syscall(SYS_openat, AT_FDCWD, "raw.log", O_CREAT | O_TRUNC | O_RDWR, 0644);
  CHECK(log >= 0 && write(log, "12345", 5) == 5 && size_of("raw.log") == 5, "the file");
  probe_note("log", (uint64_t)log);
  probe_hold();
  CHECK(write(log, "678", 3) == 3, "write");
  CHECK(size_of("raw.log") == 8, "statx gives %ld", size_of("raw.log"));
  char folder[4096], text[16] = "";
  CHECK(syscall(SYS_getcwd, folder, sizeof folder) == (long)strlen(folder) + 1, "getcwd");
  strcat(folder, "/raw.log");
  int again = (int)syscall(SYS_openat, AT_FDCWD, folder, O_RDONLY, 0);
  CHECK(again >= 0 && read(again, text, 15) == 8 && strcmp(text, "12345678") == 0, "openat gives another file: %s", text);
  CHECK(syscall(SYS_renameat2, AT_FDCWD, "raw.log", AT_FDCWD, "raw.moved", 0) == 0 && size_of("raw.moved") == 8, "renameat2");
  CHECK(syscall(SYS_unlinkat, AT_FDCWD, "raw.moved", 0) == 0 && syscall(SYS_faccessat, AT_FDCWD, "raw.moved", F_OK) == -1 && errno == ENOENT, "unlinkat");
  return probe_ok();
}
