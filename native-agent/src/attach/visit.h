// The code that a thread of the program runs for cairn-attach, and the block of memory that goes with it.
//
// A visit begins with the thread's registers set to `enter`, and ends with all of its state as it was. The thread does not need
// cairn-attach for that: with signals blocked it does its work on a stack of its own, and then gives its registers back to itself. If
// cairn-attach is there at the end it does better: it sets the state that the kernel has of a system call that it interrupted, so
// that the call goes on with what is left of its time, or ends by a signal that has come meanwhile.
//
// The code lies in bytes of a page of code that belong to no function, the block below the thread's stack and its red zone; both
// are as before afterwards. Where: written by cairn-attach, runs in the program. Test: test/probes/attach.test.ts (killed).
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/user.h>

namespace cairn::attach {

inline constexpr uint64_t visit_end_mark = 0x6361'6972'6e2d'6174;  // argument of the getpid(2) that says: done
inline constexpr size_t visit_memory = 512 * 1024;                // the stack, and in front of it what XSAVE writes
inline constexpr size_t visit_text = 2048;

struct VisitBlock {
  // As popped and as iretq(1) takes them.
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
  uint64_t rip, cs, flags, rsp, ss;
  uint64_t mask;       // of signals, before
  uint64_t all;        // every signal
  uint64_t open;       // dlopen, or 0: only the alternate stack is asked for
  uint64_t find;       // dlsym
  uint64_t why;        // dlerror
  uint64_t open_flags;
  uint64_t library;    // address of a text
  uint64_t function;   // address of a text
  uint64_t argument;   // address of texts
  uint64_t memory;     // where it has its stack
  uint64_t stage;      // VisitStage
  uint64_t result;     // AttachAnswer*, or what dlerror gave
  uint64_t altstack[3];
  char text[visit_text];
};

enum VisitStage : uint64_t {
  visit_begun = 0,
  visit_no_memory = 1,
  visit_not_loaded = 2,
  visit_no_function = 3,
  visit_done = 4,
};

/// The code, position-independent.
const void* visit_code();
size_t visit_code_size();

/// Fills in the registers that the thread gives back to itself: those of a system call that is begun anew where it was in one.
void set_return(VisitBlock* block, const user_regs_struct& registers);

}  // namespace cairn::attach
