// Memory of huge pages (hugetlb): private, shared with a child, and a memory file. Skipped where none are set aside (vm.nr_hugepages).
// sabotage: poke @cell
#include "../probe.h"
#include <sys/wait.h>

static uint64_t cell = 3;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  const size_t size = 2 << 20;
  char *own = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1, 0);
  if (own == MAP_FAILED) SKIP("no huge pages are set aside (vm.nr_hugepages)");
  char *shared = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1, 0);
  int fd = memfd_create("huge", MFD_HUGETLB | 21u << MAP_HUGE_SHIFT);
  if (shared == MAP_FAILED || fd < 0 || ftruncate(fd, (off_t)size) < 0) SKIP("not enough huge pages");
  char *of_file = (char *)mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (of_file == MAP_FAILED) SKIP("not enough huge pages");
  probe_fill(own, size, 1);
  probe_fill(shared, size, 2);
  probe_fill(of_file, size, 3);
  int go[2];
  CHECK(pipe(go) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    char byte;
    close(go[1]);
    if (read(go[0], &byte, 1) != 1) _exit(1);
    shared[5] = 55;
    _exit(7);
  }
  probe_hold();
  CHECK(cell == 3, "a static value");
  CHECK(probe_compare(own, size, 1) == -1, "private memory");
  CHECK(probe_compare(shared, size, 2) == -1, "shared memory");
  CHECK(probe_compare(of_file, size, 3) == -1, "the memory file");
  of_file[100] = 42;
  char byte;
  CHECK(pread(fd, &byte, 1, 100) == 1 && byte == 42, "the mapping is not of the file");
  int status;
  CHECK(write(go[1], "x", 1) == 1 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "the child");
  CHECK(shared[5] == 55, "memory is not shared with the child any more");
  CHECK(munmap(own, size) == 0 && munmap(shared, size) == 0 && munmap(of_file, size) == 0, "munmap");
  return probe_ok();
}
