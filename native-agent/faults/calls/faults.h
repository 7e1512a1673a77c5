/* The faults of one run: what the settings say, and what became of each. */
#ifndef FAULT_CALLS_FAULTS_H
#define FAULT_CALLS_FAULTS_H

#include <stdint.h>

#include "common/chosen.h"

enum { FAULTS = 32, FAULT_TEXT = 200, FAULT_PATH = 1024, FAULT_BYTES = 64, FAULT_REPORT = 4096 };

/* What becomes of memory that an argument points at, once the call has returned. */
struct fault_output {
  uint32_t argument; /* from 1 to 6; 0: nothing */
  uint32_t within_result; /* 1: only the bytes whose number the call returned */
  uint64_t offset;
  uint32_t size;
  uint8_t bytes[FAULT_BYTES];
  uint8_t keep[FAULT_BYTES]; /* new = old & keep ^ bytes */
};

struct fault {
  char function[FAULT_TEXT];
  char library[FAULT_TEXT]; /* empty: the first that has the function */
  char program[FAULT_TEXT]; /* as it was started, without folders; empty: in all */
  struct chosen calls;
  uint64_t delay_ns;      /* before the call */
  uint32_t calls_through; /* 0: the function is not called */
  uint32_t returns;       /* 1: `result` in place of what the function returned */
  uint32_t floating;      /* 1: that is a double, and `result` its bits */
  int32_t number;         /* of errno; 0: it stays */
  uint64_t result;
  uint64_t flip;          /* bits of what the function returned */
  struct fault_output output;
};

/* Saved with snapshots. */
struct fault_counts {
  uint64_t calls;
  uint64_t injected;
  uint64_t effective; /* something was otherwise than without the fault */
};

struct faults {
  char report[FAULT_PATH]; /* file of FAULT_REPORT bytes that takes the counts of all processes, as they come; empty: none */
  uint32_t count;
  uint32_t cumulative; /* 1: counts go on over restarts */
  struct fault list[FAULTS];
};

/* From JSON text: NULL, or what is wrong with it, in words for the user, which live until the next call. */
const char *faults_read(const char *text, struct faults *faults);

#endif
