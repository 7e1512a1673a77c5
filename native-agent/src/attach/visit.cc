#include "attach/visit.h"

#include <sys/syscall.h>

#include "sys/context.h"

extern "C" const char cairn_visit_begin[], cairn_visit_finish[];

// rbx: the block; rsp: the block. Everything else is free.
asm(R"(
.pushsection .rodata
.balign 16
.globl cairn_visit_begin
.hidden cairn_visit_begin
cairn_visit_begin:
    mov $14, %eax                      # rt_sigprocmask(SIG_SETMASK, all)
    mov $2, %edi
    lea 168(%rbx), %rsi
    xor %edx, %edx
    mov $8, %r10d
    syscall
    cld
    cmpq $0, 176(%rbx)
    jne 1f
    mov $131, %eax                     # sigaltstack(0, where)
    xor %edi, %edi
    lea 256(%rbx), %rsi
    syscall
    movq $4, 240(%rbx)
    jmp 9f
1:  mov $9, %eax                       # mmap
    xor %edi, %edi
    mov $0x80000, %esi
    mov $3, %edx
    mov $0x22, %r10d
    mov $-1, %r8
    xor %r9d, %r9d
    syscall
    movq $1, 240(%rbx)
    cmp $-4096, %rax
    ja 9f
    mov %rax, 232(%rbx)
    mov %rax, %r12
    mov $-1, %eax
    mov $-1, %edx
    xsave64 (%r12)
    lea 0x80000(%r12), %rsp
    xor %ebp, %ebp
    movq $2, 240(%rbx)
    mov 208(%rbx), %rdi
    mov 200(%rbx), %rsi
    call *176(%rbx)                    # dlopen
    test %rax, %rax
    jz 2f
    movq $3, 240(%rbx)
    mov %rax, %rdi
    mov 216(%rbx), %rsi
    call *184(%rbx)                    # dlsym
    test %rax, %rax
    jz 3f
    mov 224(%rbx), %rdi
    call *%rax
    mov %rax, 248(%rbx)
    movq $4, 240(%rbx)
    jmp 3f
2:  mov 192(%rbx), %rax
    test %rax, %rax
    jz 3f
    call *%rax                         # dlerror
    mov %rax, 248(%rbx)
3:  mov $-1, %eax
    mov $-1, %edx
    xrstor64 (%r12)
    mov %rbx, %rsp
    mov $11, %eax                      # munmap
    mov %r12, %rdi
    mov $0x80000, %esi
    syscall
9:  mov $39, %eax                      # getpid: done
    movabs $0x636169726e2d6174, %rdi
    syscall
    mov $14, %eax                      # nobody has put the thread back: rt_sigprocmask(SIG_SETMASK, mask)
    mov $2, %edi
    lea 160(%rbx), %rsi
    xor %edx, %edx
    mov $8, %r10d
    syscall
    mov %rbx, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    iretq
.globl cairn_visit_finish
.hidden cairn_visit_finish
cairn_visit_finish:
.popsection
)");

namespace cairn::attach {
namespace {

static_assert(offsetof(VisitBlock, rip) == 120 && offsetof(VisitBlock, mask) == 160 && offsetof(VisitBlock, all) == 168);
static_assert(offsetof(VisitBlock, open) == 176 && offsetof(VisitBlock, find) == 184 && offsetof(VisitBlock, why) == 192);
static_assert(offsetof(VisitBlock, open_flags) == 200 && offsetof(VisitBlock, library) == 208 && offsetof(VisitBlock, function) == 216);
static_assert(offsetof(VisitBlock, argument) == 224 && offsetof(VisitBlock, memory) == 232 && offsetof(VisitBlock, stage) == 240);
static_assert(offsetof(VisitBlock, result) == 248 && offsetof(VisitBlock, altstack) == 256 && visit_memory == 0x80000);

}  // namespace

const void* visit_code() { return cairn_visit_begin; }
size_t visit_code_size() { return static_cast<size_t>(cairn_visit_finish - cairn_visit_begin); }

void set_return(VisitBlock* block, const user_regs_struct& given) {
  user_regs_struct r = given;
  constexpr long restart_block = -516;  // the kernel's: it keeps what the call needs to go on, as long as no signal is handled
  if (static_cast<long>(r.orig_rax) >= 0 && static_cast<long>(r.rax) == restart_block) {
    r.rax = SYS_restart_syscall;
    r.rip -= 2;
  } else {
    sys::processor::make_restartable(&r, -1);
  }
  block->r15 = r.r15; block->r14 = r.r14; block->r13 = r.r13; block->r12 = r.r12; block->r11 = r.r11; block->r10 = r.r10;
  block->r9 = r.r9; block->r8 = r.r8; block->rdi = r.rdi; block->rsi = r.rsi; block->rbp = r.rbp; block->rdx = r.rdx;
  block->rcx = r.rcx; block->rbx = r.rbx; block->rax = r.rax;
  block->rip = r.rip; block->cs = r.cs; block->flags = r.eflags; block->rsp = r.rsp; block->ss = r.ss;
}

}  // namespace cairn::attach
