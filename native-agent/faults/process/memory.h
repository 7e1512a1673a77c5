/* The memory of this process, by the kernel, which says when a place is none: its mappings, its bytes, and where a symbol is. While all
 * threads stand, in Cairn's own thread: descriptors are taken for a moment. No libc. */
#ifndef FAULT_PROCESS_MEMORY_H
#define FAULT_PROCESS_MEMORY_H

#include <stdint.h>

#include "cairn/plugin.h"
#include "process/faults.h"

enum { MAPPING_PATH = 512 };
struct mapping {
  uint64_t start;
  uint64_t end;
  uint64_t offset;
  uint32_t readable;
  uint32_t writable;
  char path[MAPPING_PATH]; /* cut off in front where it is longer */
};
/* Each until `each` returns 0. */
void each_mapping(const struct cairn_host *host, int (*each)(void *context, const struct mapping *mapping), void *context);

/* 0 or -errno. Writing needs no permission of the mapping's, as of a debugger. */
int32_t memory_read(const struct cairn_host *host, uint64_t address, void *to, uint64_t size);
int32_t memory_write(const struct cairn_host *host, uint64_t address, const void *from, uint64_t size);

/* Where a fault in memory is. NULL, or why there is no such place. stack: where the stack of the thread that it is about has come to. */
const char *memory_place(const struct cairn_host *host, const struct fault *fault, uint64_t stack, uint64_t *address);

/* Of a symbol in the files of this process's programs and libraries. NULL, or why not. */
const char *symbol_place(const struct cairn_host *host, const struct fault *fault, uint64_t *address, uint64_t *size);

#endif
