// The entries of events/traced_calls.h. The wrapper gets the caller's registers, and a copy of what may be its arguments on the stack; what it
// gives back stays in its registers. The functions in between use general registers only, so that no vector register has to be kept.
#include "events/traced_calls.h"

extern "C" [[gnu::visibility("hidden")]] const char cairn_traced_entries[];

// In an entry's frame: rbp + 24 is where the caller has put arguments, rbp + 8 the wrap's number, rbp - 80 what is called and rbp - 72 since when.
asm(R"(
.pushsection .text
.balign 16
.type cairn_traced_call, @function
cairn_traced_call:
    .cfi_startproc
    .cfi_def_cfa_offset 16
    push %rbp
    .cfi_def_cfa_offset 24
    .cfi_offset %rbp, -24
    mov %rsp, %rbp
    .cfi_def_cfa_register %rbp
    push %rax
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %r8
    push %r9
    push %r10
    sub $24, %rsp
    mov 8(%rbp), %rdi
    lea 24(%rbp), %rsi
    lea -80(%rbp), %rdx
    cld
    call cairn_wrapper_begins
    mov %rax, %rcx
    sub %rax, %rsp
    lea 24(%rbp), %rsi
    mov %rsp, %rdi
    shr $3, %rcx
    rep movsq
    mov -8(%rbp), %rax
    mov -16(%rbp), %rdi
    mov -24(%rbp), %rsi
    mov -32(%rbp), %rdx
    mov -40(%rbp), %rcx
    mov -48(%rbp), %r8
    mov -56(%rbp), %r9
    mov -64(%rbp), %r10
    call *-80(%rbp)
    lea -88(%rbp), %rsp
    mov %rax, -8(%rbp)
    mov %rdx, -32(%rbp)
    mov 8(%rbp), %rdi
    mov -72(%rbp), %rsi
    call cairn_wrapper_ends
    mov -8(%rbp), %rax
    mov -32(%rbp), %rdx
    mov %rbp, %rsp
    pop %rbp
    .cfi_def_cfa %rsp, 16
    lea 8(%rsp), %rsp
    .cfi_def_cfa_offset 8
    ret
    .cfi_endproc
.size cairn_traced_call, . - cairn_traced_call

.balign 16
.hidden cairn_traced_entries
.globl cairn_traced_entries
.type cairn_traced_entries, @function
cairn_traced_entries:
.set number, 0
.rept 256
    .balign 16
    push $number
    jmp cairn_traced_call
    .set number, number + 1
.endr
.size cairn_traced_entries, . - cairn_traced_entries
.popsection
)");

namespace cairn::events {

static_assert(traced_wraps == 256, "as many as above");

uintptr_t traced_entry(uint32_t number) {
  constexpr uintptr_t entry_size = 16;
  return number < traced_wraps ? reinterpret_cast<uintptr_t>(cairn_traced_entries) + number * entry_size : 0;
}

}  // namespace cairn::events
