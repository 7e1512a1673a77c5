/* One entry for each fault, which a function's callers come to in its place. It knows nothing of the function: what was passed goes on as it
 * came, in registers and on the stack. */
#ifndef FAULT_CALLS_ENTRIES_H
#define FAULT_CALLS_ENTRIES_H

#include <stdint.h>

#include "cairn/plugin.h"

enum verdict { PASS = 0, REPLACE = 1, CALL = 2 };

/* A call under way: in this order on the entry's stack. */
struct call {
  uint64_t vectors[4]; /* what came back in xmm0 and xmm1 */
  uint64_t result_high; /* and in rdx, and rax */
  uint64_t result;
  uint64_t n;      /* fault_begins leaves it for fault_ends */
  uint64_t target; /* the function */
  uint64_t r10;
  uint64_t arguments[6]; /* the last first: r9, r8, rcx, rdx, rsi, rdi */
  uint64_t rax;
};

cairn_function fault_entry(uint32_t index);

/* Before the function: what becomes of the call. REPLACE: `result` and `vectors` are set. */
uint64_t fault_begins(uint64_t index, struct call *call);
/* After it. */
void fault_ends(uint64_t index, struct call *call);
/* Copies what may be arguments of the caller's stack. */
void fault_arguments(void *to, const void *from);

#endif
