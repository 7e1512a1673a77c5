/* How long an instruction of a 64-bit program is. Pure. Test: tests/process_faults_test.cc, against a disassembler. */
#ifndef FAULT_PROCESS_LENGTH_H
#define FAULT_PROCESS_LENGTH_H

#include <stdint.h>

enum { LONGEST_INSTRUCTION = 15 };

/* Of the instruction at the beginning of `size` bytes; 0: it is none, or goes on behind them. */
uint32_t instruction_length(const uint8_t *code, uint32_t size);

#endif
