/* Faults in a process: what the settings say. */
#ifndef FAULT_PROCESS_FAULTS_H
#define FAULT_PROCESS_FAULTS_H

#include <stdint.h>

#include "common/chosen.h"

enum { FAULTS = 32, FAULT_TEXT = 200, FAULT_PATH = 1024, FAULT_BITS = 64, MOST_BYTES = 64 };

enum fault_target { IN_SYMBOL, AT_ADDRESS, IN_MAPPING, IN_REGISTER, AT_INSTRUCTION };
enum fault_when { AT_ONCE, AFTER_TIME, AFTER_PROCESSOR_TIME, IN_CALL };

/* Registers by one number: the general ones as cairn_registers has them, then these. */
enum { REGISTER_INSTRUCTION = 16, REGISTER_FLAGS = 17, REGISTER_VECTOR = 32 };

struct fault {
  uint32_t target;
  uint32_t when;
  char program[FAULT_TEXT]; /* as it was started, without folders; empty: in all */
  /* Memory */
  char name[FAULT_TEXT];   /* of the symbol or mapping */
  char object[FAULT_TEXT]; /* of a symbol: the end of its file's path; empty: any */
  char source[FAULT_TEXT]; /* of a symbol that only its own file sees; empty: any */
  uint64_t address;
  uint64_t offset;
  uint32_t has_offset;     /* 0, of a mapping: at a byte by chance */
  uint32_t writable;       /* of a mapping: only memory that the program may write */
  /* Registers, instructions */
  uint32_t reg;
  uint32_t width;          /* in bits */
  char thread[FAULT_TEXT]; /* its name; empty: */
  uint64_t thread_number;  /* in the order of their ids, the first is 1; 0: the first, in a call the one that makes it */
  /* Bits to turn over, from the least significant one; none: one by chance */
  uint32_t bit_count;
  uint32_t bits[FAULT_BITS];
  uint64_t seed;
  /* When */
  uint64_t after_ns;
  uint64_t last_ns;        /* by chance between the two */
  char function[FAULT_TEXT];
  char library[FAULT_TEXT];
  struct chosen calls;
};

struct faults {
  char report[FAULT_PATH]; /* empty: none */
  uint32_t count;
  struct fault list[FAULTS];
};

/* From JSON text: NULL, or what is wrong with it, in words for the user, which live until the next call. */
const char *faults_read(const char *text, struct faults *faults);

#endif
