// Memory files: content, size, holes, seals, name, offsets of two openings, a mapping that is shared with a child, one without a
// descriptor in this process.
// sabotage: call ftruncate @file 10
#include "../probe.h"
#include <sys/prctl.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  enum { size = 200000, far_off = 64 << 20 };
  static char block[size], got[size];
  probe_fill(block, size, 3);
  int file = memfd_create("some memory", MFD_CLOEXEC), sealed = memfd_create("sealed", MFD_ALLOW_SEALING), sparse = memfd_create("", 0);
  int readable = memfd_create("mapped", MFD_ALLOW_SEALING), child_only = memfd_create("child", 0);
  CHECK(file >= 0 && sealed >= 0 && sparse >= 0 && readable >= 0 && child_only >= 0, "memfd_create");
  probe_note("file", (uint64_t)file);
  CHECK(write(file, block, size) == size && lseek(file, 100, SEEK_SET) == 100, "write");
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  int opened = open(link, O_RDONLY);
  CHECK(opened >= 0 && lseek(opened, 5000, SEEK_SET) == 5000, "open %s", link);
  CHECK(write(sealed, "final", 5) == 5 && fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) == 0, "F_ADD_SEALS");
  CHECK(pwrite(sparse, "end", 3, far_off) == 3, "pwrite");
  CHECK(ftruncate(readable, 8192) == 0 && ftruncate(child_only, 4096) == 0, "ftruncate");
  volatile int *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, readable, 0);
  const char *constant = mmap(NULL, 4096, PROT_READ, MAP_SHARED, sealed, 0);
  volatile int *unopened = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, child_only, 0);
  CHECK(shared != MAP_FAILED && constant != MAP_FAILED && unopened != MAP_FAILED, "mmap");
  CHECK(fcntl(readable, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0, "F_ADD_SEALS");
  shared[0] = 11, unopened[0] = 22;
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // where the check fails
    while (shared[1] == 0) probe_sleep_ms(2);
    int value = 0;
    if (pread(child_only, &value, sizeof value, 4) != sizeof value) _exit(3);
    shared[2] = shared[0] + shared[1] + value;
    _exit(0);
  }
  close(child_only);
  probe_hold();
  CHECK(lseek(file, 0, SEEK_CUR) == 100 && lseek(opened, 0, SEEK_CUR) == 5000, "offsets");
  CHECK(pread(opened, got, size, 0) == size && memcmp(got, block, size) == 0, "content");
  CHECK(pwrite(file, "new", 3, 0) == 3 && pread(opened, got, 3, 0) == 3 && memcmp(got, "new", 3) == 0, "the two openings are of two files");
  char name[128] = "";
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  CHECK(readlink(link, name, sizeof name - 1) > 0 && strcmp(name, "/memfd:some memory (deleted)") == 0, "its name is '%s'", name);
  CHECK(fcntl(file, F_GET_SEALS) == F_SEAL_SEAL, "seals %x", fcntl(file, F_GET_SEALS));
  CHECK(fcntl(sealed, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), "seals %x", fcntl(sealed, F_GET_SEALS));
  CHECK(write(sealed, "x", 1) == -1 && errno == EPERM && memcmp(constant, "final", 5) == 0, "the sealed file");
  struct stat status;
  CHECK(fstat(sparse, &status) == 0 && status.st_size == far_off + 3 && status.st_blocks < 1000, "size %ld, %ld blocks", (long)status.st_size, (long)status.st_blocks);
  CHECK(pread(sparse, got, 3, far_off) == 3 && memcmp(got, "end", 3) == 0, "content behind the hole");
  CHECK(fcntl(readable, F_GET_SEALS) == (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL), "seals %x", fcntl(readable, F_GET_SEALS));
  CHECK(shared[0] == 11 && unopened[0] == 22, "mapped content");
  unopened[1] = 100;
  shared[1] = 31;
  WAIT_UNTIL(shared[2] == 142, "the child does not see the same memory: %d", shared[2]);
  int result = -1;
  CHECK(waitpid(child, &result, 0) == child && result == 0, "the child ended with %x", result);
  return probe_ok();
}
