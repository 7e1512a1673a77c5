// Machine code that Cairn writes, and its own beginning. i386. Context: any.
#pragma once
#include <stdint.h>
#include <string.h>

namespace cairn::sys::processor {

/// A jump from a function's first byte, with all registers as they are: __kernel_vsyscall has its number in one.
inline void write_jump(unsigned char* at, uint64_t target) {
  uint32_t distance = static_cast<uint32_t>(target) - (reinterpret_cast<uint32_t>(at) + 5);
  at[0] = 0xe9;
  memcpy(at + 1, &distance, sizeof distance);
}

/// A function that makes a system call of its first two arguments.
inline void write_call(unsigned char* at, uint32_t number) {
  // push %ebx; mov 8(%esp), %ebx; mov 12(%esp), %ecx; mov $number, %eax; int $0x80; pop %ebx; ret
  const unsigned char code[18] = {0x53, 0x8b, 0x5c, 0x24, 0x08, 0x8b, 0x4c, 0x24, 0x0c, 0xb8, 0, 0, 0, 0, 0xcd, 0x80, 0x5b, 0xc3};
  memcpy(at, code, sizeof code);
  memcpy(at + 10, &number, sizeof number);
}

}  // namespace cairn::sys::processor

/// _start of a program without libc: `function`(what the kernel put on the stack).
#define CAIRN_START(function)                                                                                          \
  asm(".globl _start\n.type _start,@function\n_start:\n\txor %ebp,%ebp\n\tmov %esp,%eax\n\tand $-16,%esp\n\tsub $12,%esp\n\t" \
      "push %eax\n\tcall " #function "\n\tud2\n")
