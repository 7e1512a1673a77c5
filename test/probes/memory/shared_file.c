// Shared mappings of a file and of POSIX shared memory: content as at the checkpoint, stores reach the file again.
// sabotage: poke @file
// bits: 64, 32
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  const size_t bytes = 1 << 18;
  int fd = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && ftruncate(fd, (off_t)bytes) == 0, "ftruncate");
  char *file = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *twice = (char *)mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(file != MAP_FAILED && twice != MAP_FAILED, "mmap");
  probe_fill(file, bytes, 13);
  probe_note("file", (uint64_t)(uintptr_t)file + 5000);
  probe_hold();
  CHECK(probe_compare(file, bytes, 13) == -1, "mapping at %ld", probe_compare(file, bytes, 13));
  CHECK(probe_compare(twice, bytes, 13) == -1, "second mapping");
  char *copy = (char *)malloc(bytes);
  CHECK(pread(fd, copy, bytes, 0) == (ssize_t)bytes && probe_compare(copy, bytes, 13) == -1, "the file's content");
  file[4242] = 99;
  CHECK(twice[4242] == 99, "the mappings are no longer the same memory");
  CHECK(pread(fd, copy, 1, 4242) == 1 && copy[0] == 99, "a store does not reach the file");
  CHECK(pwrite(fd, "z", 1, 777) == 1 && file[777] == 'z', "a write does not reach the mapping");
  CHECK(msync(file, bytes, MS_SYNC) == 0, "msync");
  return probe_ok();
}
