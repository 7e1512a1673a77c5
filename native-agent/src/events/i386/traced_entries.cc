// The entries of events/traced_calls.h. The wrapper gets the caller's registers, and a copy of what may be its arguments on the stack; what it
// gives back stays in its registers. Some functions take their arguments from the stack when they return (those that return a structure
// take its address, stdcall all): what the wrapper has taken of the copy is taken from the caller's, too. The functions in between use
// general registers only, so that no vector register has to be kept, nor the value on the floating-point stack.
#include "events/traced_calls.h"

extern "C" [[gnu::visibility("hidden")]] const char cairn_traced_entries[];

// In an entry's frame: ebp + 12 is where the caller has put arguments, ebp + 4 the wrap's number, ebp - 32 what is called, ebp - 24 since when,
// ebp - 16 the stack before the call, and after it how much the wrapper has taken. Calls are made where the stack is aligned as it was.
asm(R"(
.pushsection .text
.balign 16
.type cairn_traced_call, @function
cairn_traced_call:
    .cfi_startproc
    .cfi_def_cfa_offset 8
    push %ebp
    .cfi_def_cfa_offset 12
    .cfi_offset %ebp, -12
    mov %esp, %ebp
    .cfi_def_cfa_register %ebp
    push %eax
    push %edx
    push %ecx
    sub $20, %esp
    push %esi
    .cfi_offset %esi, -48
    push %edi
    .cfi_offset %edi, -52
    sub $12, %esp
    lea -32(%ebp), %eax
    push %eax
    lea 12(%ebp), %eax
    push %eax
    push $0
    push 4(%ebp)
    cld
    call cairn_wrapper_begins
    add $16, %esp
    mov %eax, %ecx
    sub %eax, %esp
    mov %esp, -16(%ebp)
    lea 12(%ebp), %esi
    mov %esp, %edi
    shr $2, %ecx
    rep movsl
    mov -36(%ebp), %esi
    mov -40(%ebp), %edi
    mov -4(%ebp), %eax
    mov -8(%ebp), %edx
    mov -12(%ebp), %ecx
    call *-32(%ebp)
    mov %eax, -4(%ebp)
    mov %edx, -8(%ebp)
    mov %esp, %ecx
    sub -16(%ebp), %ecx
    mov %ecx, -16(%ebp)
    lea -52(%ebp), %esp
    push -20(%ebp)
    push -24(%ebp)
    push $0
    push 4(%ebp)
    call cairn_wrapper_ends
    mov -16(%ebp), %ecx
    mov 8(%ebp), %edx
    mov %edx, 8(%ebp,%ecx)
    lea 8(%ebp,%ecx), %ecx
    mov -4(%ebp), %eax
    mov -8(%ebp), %edx
    .cfi_def_cfa %ecx, 4
    mov (%ebp), %ebp
    .cfi_restore %ebp
    mov %ecx, %esp
    .cfi_def_cfa %esp, 4
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
