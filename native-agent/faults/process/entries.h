/* One entry for each fault that begins in a call: a function's callers come there in its place, with all registers kept, and go on with those that
 * the plugin leaves, at the instruction that it names. */
#ifndef FAULT_PROCESS_ENTRIES_H
#define FAULT_PROCESS_ENTRIES_H

#include <stdint.h>

#include "cairn/plugin.h"

/* On the entry's stack. */
struct caller {
  uint64_t general[16]; /* as cairn_registers has them; rsp as at the function's first instruction */
  uint64_t flags;
  uint64_t number;      /* of the fault */
};

cairn_function process_entry(uint32_t index);

/* Gives the instruction to go on at. */
uint64_t process_reached(struct caller *caller);

#endif
