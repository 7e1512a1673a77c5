/* The library: guard page, table, guard page, in one shared mapping of the service's file. */
#define _GNU_SOURCE
#include "scratchpad.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE = (SCRATCHPAD_PAGES + 2) * SCRATCHPAD_PAGE };

uint64_t *scratchpad_open(const char *file) {
  int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return NULL;
  char *at = MAP_FAILED;
  if (ftruncate(fd, SIZE) == 0) at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (at == MAP_FAILED) return NULL;
  uint64_t *table = (uint64_t *)(at + SCRATCHPAD_PAGE);
  for (uint64_t i = 0; i < SCRATCHPAD_WORDS; ++i) table[i] = scratchpad_word(i);
  mprotect(at, SCRATCHPAD_PAGE, PROT_NONE);
  mprotect(at + SIZE - SCRATCHPAD_PAGE, SCRATCHPAD_PAGE, PROT_NONE);
  return table;
}

void scratchpad_close(uint64_t *table) { munmap((char *)table - SCRATCHPAD_PAGE, SIZE); }
