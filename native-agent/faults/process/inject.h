/* Makes a fault in memory or registers, and looks at once whether it is there. */
#ifndef FAULT_PROCESS_INJECT_H
#define FAULT_PROCESS_INJECT_H

#include "cairn/plugin.h"
#include "common/report.h"
#include "process/faults.h"

struct injection {
  uint32_t status; /* enum report_status */
  const char *why; /* of IMPOSSIBLE and OVERWRITTEN */
  uint64_t where;  /* the address of what was changed */
  /* For a later look: what was put there. */
  uint32_t size;
  uint8_t put[MOST_BYTES];
};

/* While all threads stand, in Cairn's own thread. `caller`: the stack pointer of the thread whose call it is made in; 0: in none. */
void inject_standing(const struct cairn_host *host, const struct fault *fault, uint64_t caller, struct injection *injection);
/* Registers of one thread, before it goes on with them. */
void inject_registers(const struct fault *fault, struct cairn_registers *registers, const uint8_t *code, uint32_t code_size, struct injection *injection);
/* Whether it needs nothing but the registers of the thread that makes a call. */
int is_of_caller(const struct fault *fault);

#endif
