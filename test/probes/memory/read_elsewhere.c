// Files that one process writes by shared mappings alone, whose descriptors are closed, and another only reads: by such a mapping, and
// by a descriptor. A restart brings them back for both.
// sabotage: call close @open
// bits: 64, 32
#include "../probe.h"
#include <sys/wait.h>

enum { bytes = 1 << 16 };

static char *map(const char *name, int protection) {
  int fd = open(name, protection & PROT_WRITE ? O_RDWR : O_RDONLY);
  char *mapping = (char *)mmap(NULL, bytes, protection, MAP_SHARED, fd, 0);
  CHECK(fd >= 0 && mapping != MAP_FAILED && close(fd) == 0, "mmap of %s", name);
  return mapping;
}

static void make(const char *name) {
  int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && ftruncate(fd, bytes) == 0 && close(fd) == 0, "make %s", name);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int to[2], from[2];
  char word = 0, copy[bytes];
  CHECK(pipe(to) == 0 && pipe(from) == 0, "pipe");
  make("mapped"), make("open");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    close(1), close(to[1]), close(from[0]);
    char *mapped = map("mapped", PROT_READ | PROT_WRITE), *opened = map("open", PROT_READ | PROT_WRITE);
    probe_fill(mapped, bytes, 3), probe_fill(opened, bytes, 5);
    if (write(from[1], "f", 1) != 1 || read(to[0], &word, 1) != 1) _exit(1);
    mapped[77] = opened[78] = 'x';
    _exit(write(from[1], "x", 1) != 1);
  }
  close(to[0]), close(from[1]);
  CHECK(read(from[0], &word, 1) == 1, "the child");
  const char *mapped = map("mapped", PROT_READ);
  int fd = open("open", O_RDONLY);
  probe_note("open", (uint64_t)fd);
  probe_hold();
  CHECK(probe_compare(mapped, bytes, 3) == -1, "mapping at %ld", probe_compare(mapped, bytes, 3));
  CHECK(pread(fd, copy, bytes, 0) == bytes && probe_compare(copy, bytes, 5) == -1, "content of the open file");
  int status = 0;
  CHECK(write(to[1], "g", 1) == 1 && read(from[0], &word, 1) == 1 && waitpid(child, &status, 0) == child && status == 0, "status %d", status);
  CHECK(mapped[77] == 'x' && pread(fd, copy, 1, 78) == 1 && copy[0] == 'x', "the child's stores are in another file");
  return probe_ok();
}
