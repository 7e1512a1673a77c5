/* What the parts of the plugin know of each other. */
#ifndef FAULT_PROCESS_PLUGIN_H
#define FAULT_PROCESS_PLUGIN_H

#include "cairn/plugin.h"
#include "process/faults.h"
#include "process/inject.h"

__attribute__((visibility("hidden"))) extern const struct cairn_host *process_host;
__attribute__((visibility("hidden"))) extern struct faults process_faults;
__attribute__((visibility("hidden"))) extern cairn_function process_next[FAULTS]; /* the functions that entries stand in front of */

/* [any] One more call: 1: the fault is for this one. */
int process_begins(uint32_t index);
/* [any] It has been made, or is impossible. */
void process_done(uint32_t index, const struct injection *injection);
/* [any, in threads of the application] Makes it while all threads stand; returns when that is over. `stack`: the caller's stack pointer. */
void process_stop_and_wait(uint32_t index, uint64_t stack);

#endif
