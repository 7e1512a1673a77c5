// The registers of a thread on x86-64, as ptrace gives them, and the names by which the rest knows them.
// Context: any.
#pragma once
#include <elf.h>
#include <stdint.h>
#include <sys/user.h>

namespace cairn::sys::processor {

inline constexpr const char* architecture = "x86_64";
inline constexpr uint16_t elf_machine = EM_X86_64;
inline constexpr uint64_t highest_address = 0x7ffffffff000;

using Registers = user_regs_struct;

inline uint64_t instruction_of(const Registers& registers) { return registers.rip; }
inline uint64_t stack_of(const Registers& registers) { return registers.rsp; }
inline long call_number(const Registers& registers) { return static_cast<long>(registers.orig_rax); }  // < 0: in no call
inline long call_result(const Registers& registers) { return static_cast<long>(registers.rax); }
inline void set_call_result(Registers* registers, long result) { registers->rax = static_cast<uint64_t>(result); }
inline void forget_call(Registers* registers) { registers->orig_rax = static_cast<uint64_t>(-1); }
inline void begin_call_anew(Registers* registers, long number) {
  registers->rax = static_cast<uint64_t>(number);
  registers->rip -= 2;  // the length of the syscall instruction
  forget_call(registers);
}
/// Makes the thread go on at the beginning of a function, in no call.
inline void go_to(Registers* registers, uint64_t instruction, uint64_t stack) {
  registers->rip = instruction;
  registers->rsp = stack;
  registers->eflags &= ~uint64_t{0x400};  // the direction of string instructions, as functions expect it
  forget_call(registers);
}
/// Of the calls that may end with EINTR where nothing but a stop came: those that have had no effect then.
bool repeatable_after_eintr(const Registers& registers);

/// Where a thread's own variables are. In images and handoffs.
struct ThreadPointers {
  uint64_t fs_base;
  uint64_t gs_base;
};
inline ThreadPointers pointers_of(const Registers& registers) { return {registers.fs_base, registers.gs_base}; }
/// libc's thread descriptor, which points to itself at twice the size of a pointer.
inline uint64_t thread_pointer_of(const ThreadPointers& pointers) { return pointers.fs_base; }
inline uint64_t thread_pointer_of(const Registers& registers) { return registers.fs_base; }
/// Of a new thread of this process.
inline ThreadPointers pointers_to(void* descriptor) { return {reinterpret_cast<uintptr_t>(descriptor), 0}; }
/// In the calling thread.
void use_pointers(const ThreadPointers& pointers);

/// For code of a program without libc that was compiled with a guard of stack frames: it reads this from a block.
inline void use_block(void* block) { use_pointers(pointers_to(block)); }

inline uint64_t thread_pointer() {
  uint64_t self = 0;
  asm("mov %%fs:16, %0" : "=r"(self));
  return self;
}
/// What a new thread's descriptor has of the calling one's: itself, and the guards of stack frames and of stored pointers.
inline void copy_descriptor(uintptr_t* descriptor) {
  descriptor[0] = descriptor[2] = reinterpret_cast<uintptr_t>(descriptor);
  asm("mov %%fs:40, %0" : "=r"(descriptor[5]));
  asm("mov %%fs:48, %0" : "=r"(descriptor[6]));
}

}  // namespace cairn::sys::processor
