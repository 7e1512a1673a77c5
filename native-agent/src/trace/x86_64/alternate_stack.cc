#include "trace/alternate_stack.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "sys/futex.h"
#include "sys/syscall.h"

namespace cairn::trace {
namespace {

using sys::call;
using sys::call_unchecked;
using sys::failed;

constexpr size_t stack_size = 16384;
constexpr size_t frame_room = sys::processor::max_xstate + 2048;

/// What the code below knows by offset.
struct Question {
  uint64_t alternate[3];  // stack_t
  uint32_t told;
  int32_t tracer;
  int32_t end_of_tracer[32];  // siginfo_t
};
static_assert(offsetof(Question, told) == 24 && offsetof(Question, tracer) == 28 && offsetof(Question, end_of_tracer) == 32);
static_assert(sizeof(int32_t) * 32 >= sizeof(siginfo_t) && offsetof(siginfo_t, si_pid) == 16);

struct Place {
  alignas(64) char frame[frame_room];
  char xstate[sys::processor::max_xstate];
  alignas(16) char stack[stack_size];
  Question question;
  sys::processor::Registers registers;
  uint64_t xstate_size;
  uint64_t mask;
};
[[gnu::init_priority(200)]] Place place;
bool asking = false;

extern "C" [[gnu::visibility("hidden")]] void cairn_ask_alternate_stack();

/// The tracer has ended: as it would have been put back, but for the time that is left of a call.
extern "C" [[noreturn, gnu::visibility("hidden"), gnu::used]] void cairn_return_alone() {
  uint64_t frame = sys::processor::build_frame(place.frame, place.registers, sys::Text(place.xstate, place.xstate_size), place.mask,
                                            place.question.alternate[0], place.question.alternate[2],
                                            static_cast<uint32_t>(place.question.alternate[1]));
  static uint32_t left;
  sys::processor::enter_frame(frame, &left);
}

// rbx: the question. Asks, tells, and looks whether the tracer is there: P_PID, WEXITED | WNOHANG | WNOWAIT | __WALL.
asm(R"(
.pushsection .text
.hidden cairn_ask_alternate_stack
cairn_ask_alternate_stack:
    mov $131, %eax                     # sigaltstack(0, &alternate)
    xor %edi, %edi
    mov %rbx, %rsi
    syscall
    movl $1, 24(%rbx)
1:  mov $24, %eax                      # sched_yield
    syscall
    movl $0, 48(%rbx)
    mov $247, %eax                     # waitid
    mov $1, %edi
    mov 28(%rbx), %esi
    lea 32(%rbx), %rdx
    mov $0x41000005, %r10d
    xor %r8d, %r8d
    syscall
    test %rax, %rax
    js 2f
    cmpl $0, 48(%rbx)
    je 1b
2:  call cairn_return_alone
    hlt
.popsection
)");
static_assert((WEXITED | WNOHANG | WNOWAIT | __WALL) == 0x41000005);

}  // namespace

bool alternate_stacks_matter() {
  for (int signal = 1; signal < 65; ++signal) {
    uint64_t action[4] = {};  // handler, flags, restorer, mask
    if (!failed(call(SYS_rt_sigaction, signal, nullptr, action, 8)) && action[0] > 1 && (action[1] & SA_ONSTACK) != 0) return true;
  }
  return false;
}

bool ask_alternate_stack(int32_t tid, int32_t tracer, const sys::processor::Registers& registers, const char* xstate, uint64_t xstate_size, uint64_t mask) {
  if (xstate_size > sizeof place.xstate) return false;
  memset(&place.question, 0, sizeof place.question);
  place.question.tracer = tracer;
  place.registers = registers;
  sys::processor::make_restartable(&place.registers, -1);
  memcpy(place.xstate, xstate, xstate_size);
  place.xstate_size = xstate_size;
  place.mask = mask;
  sys::processor::Registers entry = registers;
  entry.rip = reinterpret_cast<uintptr_t>(cairn_ask_alternate_stack);
  entry.rbx = reinterpret_cast<uintptr_t>(&place.question);
  entry.rsp = (reinterpret_cast<uintptr_t>(place.stack) + stack_size - 64) / 16 * 16;
  entry.eflags &= ~uint64_t{0x500};  // neither step by step nor backwards
  entry.rax = 0;
  sys::processor::forget_call(&entry);
  uint64_t all = ~uint64_t{0};
  if (failed(call(SYS_ptrace, PTRACE_SETSIGMASK, tid, sizeof all, &all))) return false;
  if (failed(sys::processor::write_registers(tid, entry))) {
    call_unchecked(SYS_ptrace, PTRACE_SETSIGMASK, tid, sizeof mask, &mask);
    return false;
  }
  asking = true;
  call_unchecked(SYS_ptrace, PTRACE_CONT, tid, nullptr, nullptr);
  return true;
}

bool alternate_stack_told(AlternateStack* told) {
  if (sys::load(&place.question.told) == 0) return false;
  *told = {place.question.alternate[0], place.question.alternate[2], static_cast<uint32_t>(place.question.alternate[1]) & ~1u};
  return true;
}

bool asks_for_alternate_stack(uint64_t stack) {
  uint64_t start = reinterpret_cast<uintptr_t>(&place);
  return !asking && stack >= start && stack <= start + sizeof place;
}

void alternate_stack_done() { asking = false; }

}  // namespace cairn::trace
