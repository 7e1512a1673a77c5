#define _GNU_SOURCE
#include "process/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

/* ---- Mappings ---- */
static uint64_t number_in(const char **at, uint32_t base) {
  uint64_t value = 0;
  for (;; ++*at) {
    const int digit = **at >= '0' && **at <= '9' ? **at - '0' : base == 16 && **at >= 'a' && **at <= 'f' ? **at - 'a' + 10 : -1;
    if (digit < 0) return value;
    value = value * base + (uint64_t)digit;
  }
}

/* "start-end rwxp offset device inode   path" */
static void read_line(const char *line, uint32_t size, struct mapping *mapping) {
  const char *at = line;
  mapping->start = number_in(&at, 16);
  if (*at != 0) ++at;
  mapping->end = number_in(&at, 16);
  if (*at != 0) ++at;
  mapping->readable = at[0] == 'r';
  mapping->writable = at[0] != 0 && at[1] == 'w';
  while (*at != 0 && *at != ' ') ++at;
  if (*at != 0) ++at;
  mapping->offset = number_in(&at, 16);
  for (int field = 0; field < 2; ++field) {
    while (*at == ' ') ++at;
    while (*at != 0 && *at != ' ') ++at;
  }
  while (*at == ' ') ++at;
  const uint32_t length = size - (uint32_t)(at - line);
  const uint32_t from = length < MAPPING_PATH ? 0 : length - MAPPING_PATH + 1;
  memcpy(mapping->path, at + from, length - from);
  mapping->path[length - from] = 0;
}

void each_mapping(const struct cairn_host *host, int (*each)(void *context, const struct mapping *mapping), void *context) {
  static char text[8192];
  static struct mapping mapping;
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return;
  uint32_t size = 0;
  int goes_on = 1;
  while (goes_on) {
    const long got = host->syscall(SYS_read, fd, (long)(text + size), (long)(sizeof text - 1 - size), 0, 0, 0);
    if (got <= 0) break;
    size += (uint32_t)got;
    uint32_t begin = 0;
    for (uint32_t at = 0; at < size && goes_on; ++at) {
      if (text[at] != '\n') continue;
      text[at] = 0;
      read_line(text + begin, at - begin, &mapping);
      goes_on = each(context, &mapping);
      begin = at + 1;
    }
    if (begin == 0 && size == sizeof text - 1) size = 0; /* no path is that long */
    memmove(text, text + begin, size - begin);
    size -= begin;
  }
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* ---- Bytes ---- */
static int32_t move(const struct cairn_host *host, long call, int flags, uint64_t address, void *own, uint64_t size) {
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/mem", flags | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return (int32_t)fd;
  const long moved = host->syscall(call, fd, (long)own, (long)size, (long)address, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  return moved < 0 ? (int32_t)moved : moved == (long)size ? 0 : -EFAULT;
}

int32_t memory_read(const struct cairn_host *host, uint64_t address, void *to, uint64_t size) {
  return move(host, SYS_pread64, O_RDONLY, address, to, size);
}

int32_t memory_write(const struct cairn_host *host, uint64_t address, const void *from, uint64_t size) {
  return move(host, SYS_pwrite64, O_RDWR, address, (void *)(uintptr_t)from, size);
}

/* ---- Places ---- */
static int ends_with(const char *path, const char *name) {
  const size_t length = strlen(path), part = strlen(name);
  if (part > length || strcmp(path + length - part, name) != 0) return 0;
  return part == length || path[length - part - 1] == '/' || name[0] == '/';
}

struct search {
  const char *path;   /* NULL: what lies around `start`, with what follows it */
  uint64_t start;
  uint64_t end;       /* 0: nothing was found */
  uint32_t counts;    /* only what may be written */
  uint64_t bytes;     /* of these, in all */
  uint64_t wanted;    /* the byte with this number is at */
  uint64_t address;
};

static int find_file(void *context, const struct mapping *mapping) {
  struct search *search = context;
  if (!ends_with(mapping->path, search->path)) return 1;
  if (search->end == 0) search->start = mapping->start;
  search->end = mapping->end;
  return 1;
}

static int find_around(void *context, const struct mapping *mapping) {
  struct search *search = context;
  if (search->end == 0 && (search->start < mapping->start || search->start >= mapping->end)) return 1;
  if (search->end != 0 && (mapping->start != search->end || !mapping->writable)) return 0;
  search->end = mapping->end;
  return 1;
}

static int count_bytes(void *context, const struct mapping *mapping) {
  struct search *search = context;
  const uint64_t start = mapping->start > search->start ? mapping->start : search->start;
  const uint64_t end = mapping->end < search->end ? mapping->end : search->end;
  if (start >= end || !mapping->readable || (search->counts && !mapping->writable)) return 1;
  if (search->wanted >= search->bytes && search->wanted - search->bytes < end - start) search->address = start + (search->wanted - search->bytes);
  search->bytes += end - start;
  return 1;
}

/* Not by its name in the list of mappings: parts of it may be mapped from a snapshot. */
static void find_heap(const struct cairn_host *host, struct search *search) {
  static char text[2048];
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/stat", O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return;
  const long size = host->syscall(SYS_read, fd, (long)text, sizeof text - 1, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  if (size <= 0) return;
  text[size] = 0;
  const char *at = strrchr(text, ')');
  enum { START_OF_HEAP = 47 };
  for (uint32_t field = 2; at != NULL && field < START_OF_HEAP; ++field) {
    at = strchr(at + (field == 2 ? 1 : 0), ' ');
    if (at != NULL) ++at;
  }
  if (at == NULL) return;
  search->start = number_in(&at, 10);
  search->end = (uint64_t)host->syscall(SYS_brk, 0, 0, 0, 0, 0, 0);
}

static const char *mapping_place(const struct cairn_host *host, const struct fault *fault, uint64_t stack, uint64_t *address) {
  struct search search = {.path = fault->name, .counts = fault->writable, .wanted = UINT64_MAX};
  if (strcmp(fault->name, "heap") == 0) find_heap(host, &search);
  else if (strcmp(fault->name, "stack") == 0) {
    if (stack == 0) return "the thread's stack is not known";
    search.start = stack;
    each_mapping(host, find_around, &search);
  } else {
    each_mapping(host, find_file, &search);
  }
  if (search.end <= search.start) return "there is no such mapping";
  if (fault->has_offset) {
    *address = search.start + fault->offset;
    return *address < search.end ? NULL : "the mapping ends before that offset";
  }
  each_mapping(host, count_bytes, &search);
  if (search.bytes == 0) return "the mapping has no memory of that kind";
  search.wanted = by_chance(fault->seed, 1) % search.bytes;
  search.bytes = 0;
  each_mapping(host, count_bytes, &search);
  *address = search.address;
  return NULL;
}

const char *memory_place(const struct cairn_host *host, const struct fault *fault, uint64_t stack, uint64_t *address) {
  if (fault->target == IN_MAPPING) return mapping_place(host, fault, stack, address);
  *address = fault->address + fault->offset;
  if (fault->target == AT_ADDRESS) return NULL;
  uint64_t size = 0;
  const char *why = symbol_place(host, fault, address, &size);
  if (why != NULL) return why;
  if (fault->has_offset && size != 0 && fault->offset >= size) return "the symbol's object is smaller than that";
  if (!fault->has_offset && size != 0 && fault->bit_count == 0) *address += by_chance(fault->seed, 2) % size;
  *address += fault->offset;
  return NULL;
}
