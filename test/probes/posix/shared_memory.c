// POSIX shared memory: mapped and open, found again by its name, here and by a child; and another
// whose name is gone, which is only mapped.
// sabotage: poke @memory
// flags: -lrt
// alone: it has names that are no paths
#include "../probe.h"
#include "names.h"
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char name[64], gone[64];
  snprintf(name, sizeof name, "/cairn-probe-shm-%d", getpid());
  snprintf(gone, sizeof gone, "/cairn-probe-gone-%d", getpid());
  const size_t bytes = 1 << 16;
  int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600), other = shm_open(gone, O_CREAT | O_EXCL | O_RDWR, 0600);
  CHECK(fd >= 0 && other >= 0 && ftruncate(fd, bytes) == 0 && ftruncate(other, bytes) == 0, "shm_open");
  char *memory = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *hidden = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
  CHECK(memory != MAP_FAILED && hidden != MAP_FAILED && shm_unlink(gone) == 0 && close(other) == 0, "mmap");
  probe_fill(memory, bytes, 11);
  probe_fill(hidden, bytes, 12);
  probe_note("memory", (uint64_t)(uintptr_t)memory);
  int go[2], answer[2];
  CHECK(pipe(go) == 0 && pipe(answer) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    char byte;
    if (read(go[0], &byte, 1) != 1) _exit(1);
    int again = shm_open(name, O_RDWR, 0);
    char *view = again < 0 ? (char *)MAP_FAILED : (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
    if (view == MAP_FAILED || probe_compare(view, bytes, 11) != -1) _exit(2);
    view[0] = 'v';
    hidden[0] = 'h';
    _exit(write(answer[1], "a", 1) == 1 ? 3 : 4);
  }
  probe_hold();
  CHECK(probe_compare(memory, bytes, 11) == -1 && probe_compare(hidden, bytes, 12) == -1, "content");
  char byte;
  CHECK(write(go[1], "g", 1) == 1, "write");
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3, "the child gave %x", (unsigned)status);
  CHECK(read(answer[0], &byte, 1) == 1 && memory[0] == 'v' && hidden[0] == 'h', "what the child writes is not seen here");
  int again = shm_open(name, O_RDWR, 0);
  CHECK(again >= 0 && pread(again, &byte, 1, 0) == 1 && byte == 'v', "found by its name");
  CHECK(shm_open(gone, O_RDWR, 0) == -1 && errno == ENOENT, "a name that was gone is there");
  CHECK(shm_unlink(name) == 0 && shm_open(name, O_RDWR, 0) == -1, "shm_unlink");
  probe_remove_leftovers(name + 1);
  return probe_ok();
}
