// The registers of a thread on i386, as ptrace gives them to a 32-bit tracer, with the thread's own segments (the TLS entries of the
// GDT), and the names by which the rest knows them.
// Context: any.
#pragma once
#include <asm/ldt.h>
#include <elf.h>
#include <stdint.h>
#include <sys/user.h>

namespace cairn::sys::processor {

inline constexpr const char* architecture = "i386";
inline constexpr uint16_t elf_machine = EM_386;
inline constexpr uint64_t highest_address = 0xffffd000;

inline constexpr uint32_t segment_count = 3;  // that the kernel has for each thread

struct Registers : user_regs_struct {
  struct user_desc segments[segment_count];
};

inline uint64_t instruction_of(const Registers& registers) { return static_cast<uint32_t>(registers.eip); }
inline uint64_t stack_of(const Registers& registers) { return static_cast<uint32_t>(registers.esp); }
inline long call_number(const Registers& registers) { return registers.orig_eax; }  // < 0: in no call
inline long call_result(const Registers& registers) { return registers.eax; }
inline void set_call_result(Registers* registers, long result) { registers->eax = result; }
inline void forget_call(Registers* registers) { registers->orig_eax = -1; }
inline void begin_call_anew(Registers* registers, long number) {
  registers->eax = number;
  // The length of int $0x80; a call by the vdso returns behind one, whatever instruction it was made by.
  registers->eip -= 2;
  forget_call(registers);
}
/// Makes the thread go on at the beginning of a function, in no call.
inline void go_to(Registers* registers, uint64_t instruction, uint64_t stack) {
  registers->eip = static_cast<long>(instruction);
  registers->esp = static_cast<long>(stack);
  registers->eflags &= ~0x400;  // the direction of string instructions, as functions expect it
  forget_call(registers);
}
/// Of the calls that may end with EINTR where nothing but a stop came: those that have had no effect then.
bool repeatable_after_eintr(const Registers& registers);

/// Where a thread's own variables are. In images and handoffs. Of a segment that is not used the entry's number is 0.
struct ThreadPointers {
  uint32_t selector;  // of gs
  struct user_desc segments[segment_count];
};
inline ThreadPointers pointers_of(const Registers& registers) {
  ThreadPointers pointers = {};
  pointers.selector = static_cast<uint16_t>(registers.xgs);
  for (uint32_t i = 0; i < segment_count; ++i) pointers.segments[i] = registers.segments[i];
  return pointers;
}
/// libc's thread descriptor, which points to itself at twice the size of a pointer.
inline uint64_t thread_pointer_of(const ThreadPointers& pointers) {
  for (const struct user_desc& segment : pointers.segments) {
    if (segment.entry_number != 0 && segment.entry_number == pointers.selector >> 3) return segment.base_addr;
  }
  return 0;
}
inline uint64_t thread_pointer_of(const Registers& registers) { return thread_pointer_of(pointers_of(registers)); }
/// Of a new thread of this process.
inline ThreadPointers pointers_to(void* descriptor) {
  ThreadPointers pointers = {};
  uint16_t selector = 0;
  asm("mov %%gs, %0" : "=r"(selector));
  pointers.selector = selector;
  struct user_desc& segment = pointers.segments[0];
  segment.entry_number = selector >> 3;
  segment.base_addr = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(descriptor));
  segment.limit = 0xfffff;
  segment.seg_32bit = 1;
  segment.limit_in_pages = 1;
  segment.useable = 1;
  return pointers;
}
/// In the calling thread.
void use_pointers(const ThreadPointers& pointers);

/// For code of a program without libc that was compiled with a guard of stack frames: here there is none.
inline void use_block(void*) {}

inline uint64_t thread_pointer() {
  uint32_t self = 0;
  asm("mov %%gs:8, %0" : "=r"(self));
  return self;
}
/// What a new thread's descriptor has of the calling one's: itself, how system calls are made, and the guards of stack frames and
/// of stored pointers.
inline void copy_descriptor(uintptr_t* descriptor) {
  descriptor[0] = descriptor[2] = reinterpret_cast<uintptr_t>(descriptor);
  asm("mov %%gs:16, %0" : "=r"(descriptor[4]));
  asm("mov %%gs:20, %0" : "=r"(descriptor[5]));
  asm("mov %%gs:24, %0" : "=r"(descriptor[6]));
}

}  // namespace cairn::sys::processor
