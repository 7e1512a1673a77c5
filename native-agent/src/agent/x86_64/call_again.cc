#include "agent/call_again.h"

#include <errno.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" void cairn_call_again_entry();

// The red zone is left alone; xsave takes what C functions may change besides the registers below (0xe7: x87, SSE, AVX, AVX-512).
asm(R"(
.pushsection .text
.hidden cairn_call_again_entry
.globl cairn_call_again_entry
.type cairn_call_again_entry, @function
cairn_call_again_entry:
    lea -128(%rsp), %rsp
    push %rcx
    push %r11
    push %rbp
    mov %rsp, %rbp
    push %r9
    push %r8
    push %r10
    push %rdx
    push %rsi
    push %rdi
    mov %rax, %rdi
    mov %rsp, %rsi
    cld
    sub $2816, %rsp
    and $-64, %rsp
    movq $0, 512(%rsp)
    movq $0, 520(%rsp)
    movq $0, 528(%rsp)
    movq $0, 536(%rsp)
    movq $0, 544(%rsp)
    movq $0, 552(%rsp)
    movq $0, 560(%rsp)
    movq $0, 568(%rsp)
    mov $0xe7, %eax
    xor %edx, %edx
    xsave64 (%rsp)
    call cairn_call_again
    mov %rax, %r11
    mov $0xe7, %eax
    xor %edx, %edx
    xrstor64 (%rsp)
    lea -48(%rbp), %rsp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %r10
    pop %r8
    pop %r9
    pop %rbp
    popfq
    pop %rcx
    lea 128(%rsp), %rsp
    mov %r11, %rax
    jmp *%rcx
.size cairn_call_again_entry, . - cairn_call_again_entry
.popsection
)");

namespace cairn::agent {

uint64_t call_again_entry() { return reinterpret_cast<uintptr_t>(cairn_call_again_entry); }

namespace {

template <typename T>
T* at(long address) {
  return reinterpret_cast<T*>(address);
}

/// By the functions of libc's names, which are ours.
long make(long number, const long* a) {
  auto first = static_cast<int>(a[0]);
  switch (number) {
    case SYS_wait4: return wait4(first, at<int>(a[1]), static_cast<int>(a[2]), at<struct rusage>(a[3]));
    case SYS_waitid: return waitid(static_cast<idtype_t>(a[0]), static_cast<id_t>(a[1]), at<siginfo_t>(a[2]), static_cast<int>(a[3]));
    case SYS_recvmsg: return recvmsg(first, at<struct msghdr>(a[1]), static_cast<int>(a[2]));
    case SYS_recvfrom:
      return recvfrom(first, at<void>(a[1]), static_cast<size_t>(a[2]), static_cast<int>(a[3]), at<struct sockaddr>(a[4]), at<socklen_t>(a[5]));
    case SYS_accept: return accept(first, at<struct sockaddr>(a[1]), at<socklen_t>(a[2]));
    case SYS_accept4: return accept4(first, at<struct sockaddr>(a[1]), at<socklen_t>(a[2]), static_cast<int>(a[3]));
    case SYS_semop: return semop(first, at<struct sembuf>(a[1]), static_cast<size_t>(a[2]));
    case SYS_msgsnd: return msgsnd(first, at<void>(a[1]), static_cast<size_t>(a[2]), static_cast<int>(a[3]));
    case SYS_msgrcv: return msgrcv(first, at<void>(a[1]), static_cast<size_t>(a[2]), a[3], static_cast<int>(a[4]));
    default: return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
}

}  // namespace
}  // namespace cairn::agent

extern "C" [[gnu::visibility("hidden"), gnu::used]] long cairn_call_again(long number, const long* arguments) {
  int kept = errno;
  long result = cairn::agent::make(number, arguments);
  if (result == -1) result = -errno;
  errno = kept;
  return result;
}
