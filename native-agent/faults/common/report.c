#define _GNU_SOURCE
#include "common/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct report) <= REPORT_BYTES, "it is in one page");

static int is_error(long result) { return result < 0 && result > -4096; }

static void leave(struct reporting *reporting, const struct cairn_host *host) {
  if (reporting->now != NULL && reporting->now != &reporting->own) host->syscall(SYS_munmap, (long)reporting->now, REPORT_BYTES, 0, 0, 0, 0);
  reporting->now = &reporting->own;
}

int32_t report_open(struct reporting *reporting, const struct cairn_host *host, const char *path) {
  leave(reporting, host);
  memset(&reporting->own, 0, sizeof reporting->own);
  if (path[0] == 0) return 0;
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return host->fail((int32_t)fd, path, "the report cannot be written");
  const long size = host->syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
  const long place = size < REPORT_BYTES ? -EINVAL : host->syscall(SYS_mmap, 0, REPORT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  if (is_error(place)) return host->fail((int32_t)place, path, "the report needs a file of at least 4096 bytes");
  reporting->now = (struct report *)place;
  return 0;
}

int32_t report_event(struct reporting *reporting, const struct cairn_host *host, uint32_t event, void *data) {
  const struct cairn_mapping *mapping = data;
  if (event == CAIRN_EVENT_MAPPING_SAVE) return reporting->now != &reporting->own && mapping->start == (uintptr_t)reporting->now;
  const long flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
  const long place = host->syscall(SYS_mmap, (long)mapping->start, (long)mapping->length, PROT_READ | PROT_WRITE, flags, -1, 0);
  return is_error(place) ? (int32_t)place : 0;
}

void report_clear(struct reporting *reporting) {
  if (reporting->now == &reporting->own) memset(&reporting->own, 0, sizeof reporting->own);
}

void report_result(struct reporting *reporting, uint32_t fault, uint32_t status, const char *words) {
  struct report *report = reporting->now;
  char *to = report->words[fault];
  uint32_t size = 0;
  for (; words[size] != 0 && size + 1 < REPORT_WORDS; ++size) to[size] = words[size];
  to[size] = 0;
  __atomic_store_n(&report->results[fault].status, status, __ATOMIC_RELEASE);
  if (status == EFFECTIVE) __atomic_add_fetch(&report->counts[fault].effective, 1, __ATOMIC_RELAXED);
}
