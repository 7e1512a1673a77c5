/* A call under way has come to a fault. In the caller's thread, whose vector registers are as they were: general registers only. */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "process/entries.h"
#include "process/length.h"
#include "process/plugin.h"

/* As much of an XSAVE area as can be changed, and as a function may be passed something in: x87, SSE and AVX. */
enum { PARTS = 7, AREA = 832 };

static int has_xsave(void) {
  uint32_t a = 1, b, c = 0, d;
  __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (c >> 27 & 1) != 0;
}

static void inject_into(const struct fault *fault, struct caller *caller, uint8_t *vectors, struct injection *injection) {
  uint8_t code[LONGEST_INSTRUCTION];
  const uint64_t function = caller->number;
  struct cairn_registers registers = {.size = sizeof registers, .instruction = function, .flags = caller->flags};
  memcpy(registers.general, caller->general, sizeof registers.general);
  memset(injection, 0, sizeof *injection);
  if (has_xsave()) {
    registers.extended = vectors;
    registers.extended_size = AREA;
  }
  const struct iovec here = {code, sizeof code}, there = {(void *)(uintptr_t)function, sizeof code};
  const long size = process_host->syscall(SYS_process_vm_readv, process_host->real_pid(), (long)&here, 1, (long)&there, 1, 0);
  inject_registers(fault, &registers, code, size > 0 ? (uint32_t)size : 0, injection);
  if (injection->status == IMPOSSIBLE) return;
  memcpy(caller->general, registers.general, sizeof registers.general);
  caller->flags = registers.flags;
  caller->number = registers.instruction;
}

uint64_t process_reached(struct caller *caller) {
  const uint32_t index = (uint32_t)caller->number;
  const struct fault *fault = &process_faults.list[index];
  caller->number = (uint64_t)(uintptr_t)process_next[index];
  if (!process_begins(index)) return caller->number;
  const int number = errno;
  const int modern = has_xsave();
  _Alignas(64) uint8_t vectors[AREA];
  memset(vectors, 0, sizeof vectors);
  if (modern) __asm__ volatile("xsave64 %0" : "+m"(vectors) : "a"(PARTS), "d"(0));
  else __asm__ volatile("fxsave64 %0" : "+m"(vectors));
  if (is_of_caller(fault)) {
    struct injection injection;
    inject_into(fault, caller, vectors, &injection);
    process_done(index, &injection);
  } else {
    enum { STACK = 4 };
    process_stop_and_wait(index, caller->general[STACK]);
  }
  errno = number;
  if (modern) __asm__ volatile("xrstor64 %0" : : "m"(vectors), "a"(PARTS), "d"(0) : "memory");
  else __asm__ volatile("fxrstor64 %0" : : "m"(vectors) : "memory");
  return caller->number;
}
