// x86-64: registers by ptrace, thread pointers, the frame of rt_sigreturn, new threads. See sys/context.h.
#include <asm/prctl.h>
#include <asm/sigcontext.h>
#include <errno.h>
#include <linux/falloc.h>
#include <linux/ptrace.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "sys/context.h"

#include "sys/syscall.h"

namespace cairn::sys::processor {
namespace {

// The kernel's struct ucontext (libc's is longer).
struct Frame {
  uint64_t flags;
  uint64_t link;
  uint64_t stack_pointer;
  uint32_t stack_flags;
  uint32_t reserved;
  uint64_t stack_size;
  struct sigcontext context;
  uint64_t mask;
};
enum : uint64_t { frame_has_xstate = 1, frame_has_ss = 2, frame_strict_ss = 4 };

}  // namespace

bool repeatable_after_eintr(const Registers& registers) {
  switch (call_number(registers)) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_rt_sigtimedwait:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_accept:
    case SYS_accept4:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_mq_timedreceive:
    case SYS_mq_timedsend:
    case SYS_futex:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_flock:
      return true;
    // What was given until then is taken back, or stays and is found again; not where contents move.
    case SYS_fallocate:
      return (registers.rsi & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) == 0;
    // tcdrain: no break is sent.
    case SYS_ioctl:
      return registers.rsi == TCSBRK && registers.rdx != 0;
    default:
      return false;
  }
}

void use_pointers(const ThreadPointers& pointers) {
  call_unchecked(SYS_arch_prctl, ARCH_SET_FS, pointers.fs_base);
  call_unchecked(SYS_arch_prctl, ARCH_SET_GS, pointers.gs_base);
}

long read_registers(int32_t tid, Registers* registers) {
  struct iovec area = {registers, sizeof *registers};
  long result = call(SYS_ptrace, PTRACE_GETREGSET, tid, NT_PRSTATUS, &area);
  // A thread in the 32-bit mode has fewer.
  return failed(result) || area.iov_len == sizeof *registers ? result : -ENOTSUP;
}

long write_registers(int32_t tid, const Registers& registers) {
  struct iovec area = {const_cast<Registers*>(&registers), sizeof registers};
  return call(SYS_ptrace, PTRACE_SETREGSET, tid, NT_PRSTATUS, &area);
}

size_t frame_size(size_t xstate_size) {
  return sizeof(Frame) + xstate_alignment + xstate_size_in_frame(xstate_size) + xstate_alignment;
}

uint64_t build_frame(void* memory, const Registers& r, Text xstate, uint64_t signal_mask, uint64_t altstack_sp,
                     uint64_t altstack_size, uint32_t altstack_flags) {
  auto* frame = static_cast<Frame*>(memory);
  memset(frame, 0, sizeof *frame);
  frame->flags = frame_has_ss | frame_strict_ss;
  frame->stack_pointer = altstack_sp;
  frame->stack_flags = altstack_flags;
  frame->stack_size = altstack_size;
  frame->mask = signal_mask;
  struct sigcontext& c = frame->context;
  c.r8 = r.r8; c.r9 = r.r9; c.r10 = r.r10; c.r11 = r.r11; c.r12 = r.r12; c.r13 = r.r13; c.r14 = r.r14; c.r15 = r.r15;
  c.rdi = r.rdi; c.rsi = r.rsi; c.rbp = r.rbp; c.rbx = r.rbx; c.rdx = r.rdx; c.rax = r.rax; c.rcx = r.rcx;
  c.rsp = r.rsp; c.rip = r.rip; c.eflags = r.eflags;
  c.cs = static_cast<uint16_t>(r.cs);
  c.ss = static_cast<uint16_t>(r.ss);
  if (xstate.size >= legacy_area + xsave_header) {
    uint64_t address = (reinterpret_cast<uintptr_t>(memory) + sizeof(Frame) + xstate_alignment - 1) & ~(xstate_alignment - 1);
    build_xstate(reinterpret_cast<char*>(address), xstate);
    frame->flags |= frame_has_xstate;
    memcpy(&c.fpstate, &address, sizeof address);
  }
  return reinterpret_cast<uintptr_t>(frame);
}

bool call_of_frame(uint64_t frame, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  const struct sigcontext& c = reinterpret_cast<const Frame*>(frame)->context;
  unsigned char code[2];
  if (!peek(c.rip, code, sizeof code)) return false;
  if (code[0] != 0x0f || code[1] != 0x05) return false;  // syscall
  *number = static_cast<int64_t>(c.rax);
  *stack = c.rsp;
  const uint64_t values[] = {c.rdi, c.rsi, c.rdx, c.r10, c.r8, c.r9};
  memcpy(arguments, values, sizeof values);
  return true;
}

bool set_frame_argument(uint64_t frame, uint32_t argument, uint64_t value) {
  int64_t number;
  uint64_t arguments[6], stack;
  if (argument >= 6 || !call_of_frame(frame, &number, arguments, &stack)) return false;
  struct sigcontext& c = reinterpret_cast<Frame*>(frame)->context;
  decltype(&c.rdi) const places[] = {&c.rdi, &c.rsi, &c.rdx, &c.r10, &c.r8, &c.r9};
  *places[argument] = value;
  return true;
}

uint64_t* frame_instruction(uint64_t frame) {
  return reinterpret_cast<uint64_t*>(reinterpret_cast<char*>(static_cast<uintptr_t>(frame)) + offsetof(Frame, context) + offsetof(struct sigcontext, rip));
}

bool read_frame(uint64_t frame, Registers* registers, char** xstate, size_t* xstate_size) {
  const struct sigcontext& c = reinterpret_cast<const Frame*>(frame)->context;
  Registers& r = *registers;
  memset(&r, 0, sizeof r);
  r.r8 = c.r8; r.r9 = c.r9; r.r10 = c.r10; r.r11 = c.r11; r.r12 = c.r12; r.r13 = c.r13; r.r14 = c.r14; r.r15 = c.r15;
  r.rdi = c.rdi; r.rsi = c.rsi; r.rbp = c.rbp; r.rbx = c.rbx; r.rdx = c.rdx; r.rax = c.rax; r.rcx = c.rcx;
  r.rsp = c.rsp; r.rip = c.rip; r.eflags = c.eflags;
  forget_call(&r);
  uint64_t area = 0;
  memcpy(&area, &c.fpstate, sizeof area);
  *xstate = reinterpret_cast<char*>(area);
  const auto* state = reinterpret_cast<const struct _fpstate*>(area);
  *xstate_size = state != nullptr && state->sw_reserved.magic1 == FP_XSTATE_MAGIC1 ? state->sw_reserved.xstate_size : 0;
  return true;
}

bool write_frame(uint64_t frame, const Registers& r) {
  struct sigcontext& c = reinterpret_cast<Frame*>(frame)->context;
  c.r8 = r.r8; c.r9 = r.r9; c.r10 = r.r10; c.r11 = r.r11; c.r12 = r.r12; c.r13 = r.r13; c.r14 = r.r14; c.r15 = r.r15;
  c.rdi = r.rdi; c.rsi = r.rsi; c.rbp = r.rbp; c.rbx = r.rbx; c.rdx = r.rdx; c.rax = r.rax; c.rcx = r.rcx;
  c.rsp = r.rsp; c.rip = r.rip; c.eflags = r.eflags;
  return true;
}

bool get_numbered(const Registers& r, uint64_t* values) {
  const uint64_t all[numbered_registers] = {r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9,
                                            r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip, r.eflags};
  memcpy(values, all, sizeof all);
  return true;
}

bool set_numbered(Registers* registers, const uint64_t* values) {
  Registers& r = *registers;
  decltype(&r.rax) const all[numbered_registers] = {&r.rax, &r.rcx, &r.rdx, &r.rbx, &r.rsp, &r.rbp, &r.rsi, &r.rdi, &r.r8, &r.r9,
                                                    &r.r10, &r.r11, &r.r12, &r.r13, &r.r14, &r.r15, &r.rip, &r.eflags};
  for (size_t i = 0; i < numbered_registers; ++i) *all[i] = values[i];
  return true;
}

void enter_frame(uint64_t frame, uint32_t* left) {
  asm volatile("lock incl (%2)\n\tmov %0, %%rsp\n\tmov %1, %%eax\n\tsyscall\n\tud2"
               : : "r"(frame), "i"(SYS_rt_sigreturn), "r"(left) : "memory");
  __builtin_unreachable();
}

void exit_thread(uint32_t status, uint32_t* left) {
  asm volatile("lock incl (%1)\n\tmov %0, %%eax\n\tsyscall\n\tud2"
               : : "i"(SYS_exit), "r"(left), "D"(status) : "memory");
  __builtin_unreachable();
}

void jump_to(uint64_t entry, void* argument, uint64_t stack_top) {
  asm volatile("mov %0, %%rsp\n\txor %%ebp, %%ebp\n\tcall *%1\n\tud2"
               : : "r"(stack_top & ~uint64_t{15}), "r"(entry), "D"(argument) : "memory");
  __builtin_unreachable();
}

long clone_with_stack(uint64_t flags, void* stack_top, void (*entry)(void*), void* argument, const ThreadPointers* tls) {
  // The child starts with an empty stack: entry and argument travel on it.
  auto* stack = reinterpret_cast<uint64_t*>(reinterpret_cast<uintptr_t>(stack_top) & ~uint64_t{15});
  *--stack = reinterpret_cast<uintptr_t>(argument);
  *--stack = reinterpret_cast<uintptr_t>(entry);
  long result;
  register long r10 asm("r10") = 0;
  register long r8 asm("r8") = tls == nullptr ? 0 : static_cast<long>(tls->fs_base);
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%rax\n\t"
      "pop %%rdi\n\t"
      "call *%%rax\n\t"
      "mov %[exit], %%eax\n\t"
      "xor %%edi, %%edi\n\t"
      "syscall\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone), "D"(flags), "S"(stack), "d"(0L), "r"(r10), "r"(r8), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory");
  return result;
}

}  // namespace cairn::sys::processor
