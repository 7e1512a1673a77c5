#define _GNU_SOURCE
#include "process/inject.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>

#include "process/length.h"
#include "process/memory.h"

static void is_impossible(struct injection *injection, const char *why) {
  injection->status = IMPOSSIBLE;
  injection->why = why;
}

/* Those that the settings name, else one by chance; beside each other from the first byte on. */
static uint32_t bits_of(const struct fault *fault, uint8_t *mask) {
  uint32_t bytes = 1;
  memset(mask, 0, MOST_BYTES);
  const uint32_t by_seed = (uint32_t)(by_chance(fault->seed, 3) % fault->width);
  for (uint32_t i = 0; i < (fault->bit_count == 0 ? 1 : fault->bit_count); ++i) {
    const uint32_t bit = fault->bit_count == 0 ? by_seed : fault->bits[i];
    mask[bit / 8] |= (uint8_t)(1u << bit % 8);
    if (bit / 8 + 1 > bytes) bytes = bit / 8 + 1;
  }
  return bytes;
}

/* ---- Threads ---- */
static int is_called(const struct cairn_host *host, int32_t tid, const char *name) {
  static const char folder[] = "/proc/self/task/";
  char path[64], digits[12], text[32];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + tid % 10);
  while ((tid /= 10) != 0);
  strcat(strcat(strcpy(path, folder), at), "/comm");
  const long fd = host->syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return 0;
  const long size = host->syscall(SYS_read, fd, (long)text, sizeof text - 1, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  if (size < 1) return 0;
  text[size - 1] = 0;
  return strcmp(text, name) == 0;
}

/* Its place in the host's list; -1: there is none. */
static int64_t find_thread(const struct cairn_host *host, const struct fault *fault) {
  const uint64_t wanted = fault->thread_number == 0 ? 1 : fault->thread_number;
  int32_t id, real;
  for (uint32_t i = 0; host->thread(i, &id, &real) == 1; ++i) {
    if (fault->thread[0] != 0) {
      if (is_called(host, real, fault->thread)) return i;
      continue;
    }
    uint64_t before = 0;
    int32_t other, other_real;
    for (uint32_t j = 0; host->thread(j, &other, &other_real) == 1; ++j) before += other < id;
    if (before + 1 == wanted) return i;
  }
  return -1;
}

/* ---- Registers ---- */
/* Parts of an XSAVE area in its standard format; where the processor has them is the same on all that have AVX. */
enum { LOW_AT = 160, HEADER_AT = 512, HIGH_AT = 576, HALF = 16, PART_SSE = 2, PART_AVX = 4, VECTORS = 16 };

/* A half of a vector register. NULL: the area does not reach so far. What is in its initial state is nowhere, and made zero first. */
static uint8_t *half_of(const struct cairn_registers *registers, uint32_t number, uint32_t high) {
  const uint32_t at = (high ? HIGH_AT : LOW_AT) + HALF * number;
  if (registers->extended == NULL || registers->extended_size < at + HALF || registers->extended_size < HEADER_AT + 8) return NULL;
  uint64_t parts;
  memcpy(&parts, registers->extended + HEADER_AT, sizeof parts);
  const uint64_t part = high ? PART_AVX : PART_SSE;
  if ((parts & part) == 0) {
    memset(registers->extended + (high ? HIGH_AT : LOW_AT), 0, HALF * VECTORS);
    parts |= part;
    memcpy(registers->extended + HEADER_AT, &parts, sizeof parts);
  }
  return registers->extended + at;
}

static void flip_vector(const struct fault *fault, struct cairn_registers *registers, const uint8_t *mask, struct injection *injection) {
  const uint32_t number = fault->reg - REGISTER_VECTOR;
  for (uint32_t high = 0; high < 2; ++high) {
    uint8_t any = 0;
    for (uint32_t i = 0; i < HALF; ++i) any |= mask[HALF * high + i];
    if (any == 0) continue;
    uint8_t *half = half_of(registers, number, high);
    if (half == NULL) {
      is_impossible(injection, "the thread does not use that part of the register");
      return;
    }
    for (uint32_t i = 0; i < HALF; ++i) half[i] ^= mask[HALF * high + i];
  }
}

static int begins_call(const uint8_t *code, uint32_t size) { return size >= 2 && code[0] == 0x0f && code[1] == 0x05; }

void inject_registers(const struct fault *fault, struct cairn_registers *registers, const uint8_t *code, uint32_t code_size, struct injection *injection) {
  enum { RCX = 1, R11 = 11, CHANGEABLE_FLAGS = 0xcd5 | 0x240000 /* carry to direction, alignment check, identification */ };
  uint8_t mask[MOST_BYTES];
  injection->status = EFFECTIVE;
  if (fault->target == AT_INSTRUCTION) {
    const uint32_t length = instruction_length(code, code_size);
    if (length == 0) is_impossible(injection, "the instruction there is not known");
    injection->where = registers->instruction;
    registers->instruction += length;
    return;
  }
  (void)bits_of(fault, mask);
  if (fault->reg >= REGISTER_VECTOR) {
    flip_vector(fault, registers, mask, injection);
    return;
  }
  uint64_t bits;
  memcpy(&bits, mask, sizeof bits);
  if (fault->reg == REGISTER_FLAGS) {
    if ((bits & ~(uint64_t)CHANGEABLE_FLAGS) != 0) is_impossible(injection, "a program cannot have that flag otherwise");
    else registers->flags ^= bits;
  } else if (fault->reg == REGISTER_INSTRUCTION) {
    registers->instruction ^= bits;
  } else {
    registers->general[fault->reg] ^= bits;
    if ((fault->reg == RCX || fault->reg == R11) && begins_call(code, code_size)) {
      injection->status = OVERWRITTEN;
      injection->why = "by the system call that the thread begins";
    }
  }
}

int is_of_caller(const struct fault *fault) {
  return fault->target >= IN_REGISTER && fault->thread[0] == 0 && fault->thread_number == 0;
}

/* ---- While all stand ---- */
static void flip_memory(const struct cairn_host *host, const struct fault *fault, uint64_t stack, struct injection *injection) {
  uint8_t mask[MOST_BYTES], now[MOST_BYTES];
  const uint32_t size = bits_of(fault, mask);
  const char *why = memory_place(host, fault, stack, &injection->where);
  if (why == NULL && memory_read(host, injection->where, now, size) < 0) why = "there is no memory";
  if (why != NULL) {
    is_impossible(injection, why);
    return;
  }
  for (uint32_t i = 0; i < size; ++i) injection->put[i] = now[i] ^ mask[i];
  injection->size = size;
  if (memory_write(host, injection->where, injection->put, size) < 0) {
    is_impossible(injection, "the memory cannot be written");
    return;
  }
  const int stays = memory_read(host, injection->where, now, size) == 0 && memcmp(now, injection->put, size) == 0;
  injection->status = stays ? EFFECTIVE : OVERWRITTEN;
  if (!stays) injection->why = "at once: something else writes there";
}

void inject_standing(const struct cairn_host *host, const struct fault *fault, uint64_t caller, struct injection *injection) {
  memset(injection, 0, sizeof *injection);
  const int64_t thread = find_thread(host, fault);
  struct cairn_registers registers = {.size = sizeof registers};
  const int32_t found = thread < 0 ? -1 : host->registers((uint32_t)thread, &registers);
  if (fault->target < IN_REGISTER) {
    enum { STACK = 4 };
    const int named = fault->thread[0] != 0 || fault->thread_number != 0;
    flip_memory(host, fault, caller != 0 && !named ? caller : found < 0 ? 0 : registers.general[STACK], injection);
    return;
  }
  if (found < 0) {
    is_impossible(injection, thread < 0 ? "there is no such thread" : "the thread's registers cannot be had");
    return;
  }
  uint8_t code[LONGEST_INSTRUCTION];
  uint32_t size = sizeof code;
  while (size > 0 && memory_read(host, registers.instruction, code, size) < 0) --size;
  inject_registers(fault, &registers, code, size, injection);
  if (injection->status != IMPOSSIBLE && host->set_registers((uint32_t)thread, &registers) < 0)
    is_impossible(injection, "the thread's registers cannot be set");
}
