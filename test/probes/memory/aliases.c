// One piece of shared memory at several places: a file, a memory file and memory without a name, with different offsets, also by mremap with
// no old size, moved, grown, and in a child that maps other parts. A store at one place is seen at all others.
// sabotage: call munmap @alias 4096
#include "../probe.h"
#include <sys/wait.h>

enum { PAGE = 4096, PAGES = 8 };
static char *map(int fd, int page, int pages) {
  char *at = (char *)mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)page * PAGE);
  CHECK(at != MAP_FAILED, "mmap");
  return at;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int file = open("file", O_RDWR | O_CREAT, 0644), memory = memfd_create("memory", 0);
  CHECK(ftruncate(file, PAGES * PAGE) == 0 && ftruncate(memory, PAGES * PAGE) == 0, "ftruncate");
  char *whole[2] = {map(file, 0, PAGES), map(memory, 0, PAGES)}, *part[2] = {map(file, 3, 2), map(memory, 3, 2)};
  char *nameless = (char *)mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *alias = (char *)mremap(nameless + 2 * PAGE, 0, 3 * PAGE, MREMAP_MAYMOVE);
  CHECK(alias != MAP_FAILED, "mremap with no old size");
  char *moved = (char *)mremap(part[0], 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
  CHECK(moved != MAP_FAILED, "mremap");
  part[0] = moved;
  for (int i = 0; i < 2; i++) probe_fill(whole[i], PAGES * PAGE, (uint64_t)i);
  probe_fill(nameless, PAGES * PAGE, 7);
  int ready[2], go[2];
  CHECK(pipe(ready) == 0 && pipe(go) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    // Of its own mappings only a part is left.
    munmap(nameless, 3 * PAGE);
    char *own = map(memory, 5, 1), byte = 0;
    if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1) _exit(1);
    if (nameless[3 * PAGE] != 'n' || own[0] != 'm' || whole[0][3 * PAGE] != 'f') _exit(2);
    alias[PAGE + 1] = 'c';
    own[1] = 'c';
    part[0][1] = 'c';
    _exit(0);
  }
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1, "the child");
  probe_note("alias", (uint64_t)(uintptr_t)alias);
  probe_hold();
  for (int i = 0; i < 2; i++) CHECK(probe_compare(whole[i], PAGES * PAGE, (uint64_t)i) == -1, "content of %d", i);
  CHECK(probe_compare(nameless, PAGES * PAGE, 7) == -1, "content of memory without a name");
  CHECK(memcmp(alias, nameless + 2 * PAGE, 3 * PAGE) == 0 && memcmp(part[0], whole[0] + 3 * PAGE, 4 * PAGE) == 0, "content elsewhere");
  CHECK(memcmp(part[1], whole[1] + 3 * PAGE, 2 * PAGE) == 0, "content of a part");
  char kept[3] = {whole[0][3 * PAGE], whole[0][3 * PAGE + 1], 0};
  nameless[3 * PAGE] = 'n';
  CHECK(alias[PAGE] == 'n', "memory without a name and its alias are two");
  part[0][0] = 'f';
  CHECK(whole[0][3 * PAGE] == 'f' && pread(file, &byte, 1, 3 * PAGE) == 1 && byte == 'f', "the file and its mappings are two");
  whole[1][5 * PAGE] = 'm';
  CHECK(pread(memory, &byte, 1, 5 * PAGE) == 1 && byte == 'm', "the memory file and its mapping are two");
  CHECK(write(go[1], "x", 1) == 1, "write");
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %x", status);
  CHECK(nameless[3 * PAGE + 1] == 'c' && whole[1][5 * PAGE + 1] == 'c' && whole[0][3 * PAGE + 1] == 'c', "the child's stores");
  memcpy(whole[0] + 3 * PAGE, kept, 2);
  return probe_ok();
}
