// Machine code that Cairn writes, and its own beginning. x86-64. Context: any.
#pragma once
#include <stdint.h>
#include <string.h>

namespace cairn::sys::processor {

/// A jump from a function's first byte; it may lie anywhere.
inline void write_jump(unsigned char* at, uint64_t target) {
  // movabs $target, %rax; jmp *%rax
  const unsigned char code[12] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0};
  memcpy(at, code, sizeof code);
  memcpy(at + 2, &target, sizeof target);
}

/// A function that makes a system call of its first two arguments or three.
inline void write_call(unsigned char* at, uint32_t number) {
  // mov $number, %eax; syscall; ret
  const unsigned char code[8] = {0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3};
  memcpy(at, code, sizeof code);
  memcpy(at + 1, &number, sizeof number);
}

}  // namespace cairn::sys::processor

/// _start of a program without libc: `function`(what the kernel put on the stack).
#define CAIRN_START(function) \
  asm(".globl _start\n.type _start,@function\n_start:\n\txor %ebp,%ebp\n\tmov %rsp,%rdi\n\tand $-16,%rsp\n\tcall " #function "\n\tud2\n")
