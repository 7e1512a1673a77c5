// Files of more than 2 and 4 GB in a 32-bit program: their offsets and sizes, by the functions of both kinds, and a mapping of one.
// other user: not again: 7 GB would have to be summed
// bits: 32 only
#define _LARGEFILE64_SOURCE
#include "../probe.h"

enum { MEGABYTE = 1 << 20 };
static const off64_t far_away = 5000LL * MEGABYTE, memory_size = 2200LL * MEGABYTE;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int fd = open64("large", O_RDWR | O_CREAT | O_TRUNC, 0644), small = open("small", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && small >= 0, "open");
  CHECK(pwrite64(fd, "far", 3, far_away) == 3 && lseek64(fd, far_away + 1, SEEK_SET) == far_away + 1, "a far place");
  CHECK(write(small, "small", 5) == 5 && lseek(small, 2, SEEK_SET) == 2, "a near one");
  int memory = memfd_create("large", 0);
  CHECK(ftruncate64(memory, memory_size) == 0 && pwrite64(memory, "end", 3, memory_size - 3) == 3, "a large memory file");
  char *window = (char *)mmap64(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, memory_size - 4096);
  CHECK(window != MAP_FAILED && memcmp(window + 4093, "end", 3) == 0, "mmap64");
  probe_hold();
  struct stat64 status;
  CHECK(fstat64(fd, &status) == 0 && status.st_size == far_away + 3, "the size is %lld", (long long)status.st_size);
  CHECK(lseek64(fd, 0, SEEK_CUR) == far_away + 1, "the offset is %lld", (long long)lseek64(fd, 0, SEEK_CUR));
  char text[8] = "";
  CHECK(read(fd, text, 2) == 2 && strcmp(text, "ar") == 0, "the content is '%s'", text);
  CHECK(lseek(small, 0, SEEK_CUR) == 2 && read(small, text, 3) == 3 && strcmp(text, "all") == 0, "the small file");
  CHECK(memcmp(window + 4093, "end", 3) == 0 && fstat64(memory, &status) == 0 && status.st_size == memory_size, "the memory file");
  memcpy(window, "new", 3);
  CHECK(pread64(memory, text, 3, memory_size - 4096) == 3 && memcmp(text, "new", 3) == 0, "the mapping is no longer of the file");
  return probe_ok();
}
