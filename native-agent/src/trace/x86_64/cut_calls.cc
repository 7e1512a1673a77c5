#include "trace/cut_calls.h"

#include <string.h>

#include "trace/rest.h"

extern "C" void cairn_rest_of_call();

// rax: done so far, rcx: where to return to, r11: what is left (struct Rest); the others as for the call. The red zone is left alone; the
// function uses general registers only.
asm(R"(
.pushsection .text
.hidden cairn_rest_of_call
.type cairn_rest_of_call, @function
cairn_rest_of_call:
    lea -128(%rsp), %rsp
    pushfq
    push %rcx
    push %rbp
    mov %rsp, %rbp
    push %r9
    push %r8
    push %r10
    push %rdx
    push %rsi
    push %rdi
    mov %r11, %rdi
    mov %rsp, %rsi
    mov %rax, %rdx
    and $-16, %rsp
    cld
    call cairn_make_rest_of_call
    lea -48(%rbp), %rsp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    pop %rbp
    pop %rcx
    popfq
    lea 128(%rsp), %rsp
    jmp *%rcx
.size cairn_rest_of_call, . - cairn_rest_of_call
.popsection
)");

namespace cairn::trace {

bool continue_cut_call(int32_t process, int32_t tid, sys::processor::Registers* registers) {
  long number = sys::processor::call_number(*registers);
  auto done = static_cast<int64_t>(registers->rax);
  if (number < 0 || done <= 0) return false;
  const Call cut = {number, {registers->rdi, registers->rsi, registers->rdx, registers->r10, registers->r8, registers->r9}};
  Rest rest;
  if (!plan_rest(process, tid, cut, done, &rest)) return false;
  registers->rcx = registers->rip;
  memcpy(&registers->r11, &rest, sizeof rest);
  registers->rip = reinterpret_cast<uintptr_t>(cairn_rest_of_call);
  sys::processor::forget_call(registers);
  return true;
}

}  // namespace cairn::trace

/// [the stopped thread]
extern "C" [[gnu::visibility("hidden"), gnu::used]] int64_t cairn_make_rest_of_call(uint64_t word, const uint64_t* arguments, int64_t done) {
  using namespace cairn::trace;
  Rest rest;
  memcpy(&rest, &word, sizeof rest);
  Call cut = {rest.number, {}};
  memcpy(cut.arguments, arguments, sizeof cut.arguments);
  return make_rest(rest, cut, done);
}
