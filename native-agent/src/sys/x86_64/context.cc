#include "sys/x86_64/context.h"

#include <asm/sigcontext.h>
#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <sys/uio.h>

#include "sys/syscall.h"

namespace cairn::sys::x86_64 {
namespace {

// From the kernel's include/linux/errno.h; a tracer sees them, user space does not.
enum : long { restart_sys = -512, restart_no_intr = -513, restart_no_hand = -514, restart_block = -516 };

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

constexpr size_t legacy_area = 512;
constexpr size_t xsave_header = 64;
constexpr size_t alignment = 64;
constexpr size_t software_bytes = 464;

bool repeatable_after_eintr(long number) {
  switch (number) {
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
    default:
      return false;
  }
}

}  // namespace

void begin_call_anew(Registers* registers, long number) {
  registers->rax = static_cast<uint64_t>(number);
  registers->rip -= 2;  // the length of the syscall instruction
  registers->orig_rax = static_cast<uint64_t>(-1);
}

void make_restartable(Registers* registers, long restarted_call) {
  long number = static_cast<long>(registers->orig_rax);
  if (number < 0) return;
  switch (static_cast<long>(registers->rax)) {
    case restart_sys:
    case restart_no_intr:
    case restart_no_hand:
      begin_call_anew(registers, number);
      return;
    case restart_block:
      if (number == SYS_restart_syscall) number = restarted_call;
      if (number >= 0) {
        begin_call_anew(registers, number);
      } else {
        registers->rax = static_cast<uint64_t>(-EINTR);
      }
      return;
    default:
      if (ended_by_stop(*registers)) begin_call_anew(registers, number);
  }
  registers->orig_rax = static_cast<uint64_t>(-1);
}

bool ended_by_stop(const Registers& registers) {
  long number = static_cast<long>(registers.orig_rax);
  return number >= 0 && static_cast<long>(registers.rax) == -EINTR && repeatable_after_eintr(number);
}

size_t used_xstate(const void* xstate, size_t size, uint64_t* features) {
  *features = 0;
  if (size < legacy_area + xsave_header) return size;
  uint64_t in_use = 0;
  memcpy(&in_use, static_cast<const char*>(xstate) + legacy_area, sizeof in_use);
  size_t used = legacy_area + xsave_header;
  *features = 3;  // x87 and SSE are in the legacy area
  for (unsigned component = 2; component < 63; ++component) {
    if ((in_use & (uint64_t{1} << component)) == 0) continue;
    unsigned length = 0, offset = 0, c = 0, d = 0;
    __cpuid_count(0xd, component, length, offset, c, d);
    if (offset == 0 || offset + length > size) continue;
    *features |= uint64_t{1} << component;
    if (offset + length > used) used = offset + length;
  }
  return used;
}

size_t frame_size(size_t xstate_size) {
  return sizeof(Frame) + alignment + xstate_size + sizeof(uint32_t) + alignment;
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
    uint64_t address = (reinterpret_cast<uint64_t>(memory) + sizeof(Frame) + alignment - 1) & ~(alignment - 1);
    char* area = reinterpret_cast<char*>(address);
    memcpy(area, xstate.data, xstate.size);
    uint64_t features = 0;
    used_xstate(xstate.data, xstate.size, &features);
    struct _fpx_sw_bytes software = {};
    software.magic1 = FP_XSTATE_MAGIC1;
    software.xfeatures = features;
    software.xstate_size = static_cast<uint32_t>(xstate.size);
    software.extended_size = software.xstate_size + FP_XSTATE_MAGIC2_SIZE;
    memcpy(area + software_bytes, &software, sizeof software);
    uint32_t magic = FP_XSTATE_MAGIC2;
    memcpy(area + xstate.size, &magic, sizeof magic);
    frame->flags |= frame_has_xstate;
    memcpy(&c.fpstate, &address, sizeof address);
  }
  return reinterpret_cast<uint64_t>(frame);
}

bool call_of_frame(uint64_t frame, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  const struct sigcontext& c = reinterpret_cast<const Frame*>(frame)->context;
  unsigned char code[2];
  struct iovec local = {code, sizeof code};
  struct iovec remote = {reinterpret_cast<void*>(c.rip), sizeof code};
  if (call(SYS_process_vm_readv, call(SYS_getpid), &local, 1, &remote, 1, 0) != sizeof code) return false;
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

void enter_frame(uint64_t frame, uint32_t* left) {
  asm volatile("lock incl (%2)\n\tmov %0, %%rsp\n\tmov %1, %%eax\n\tsyscall\n\tud2"
               : : "r"(frame), "i"(SYS_rt_sigreturn), "r"(left) : "memory");
  __builtin_unreachable();
}

void exit_thread(uint32_t* left) {
  asm volatile("lock incl (%1)\n\tmov %0, %%eax\n\txor %%edi, %%edi\n\tsyscall\n\tud2"
               : : "i"(SYS_exit), "r"(left) : "memory");
  __builtin_unreachable();
}

long clone_with_stack(uint64_t flags, void* stack_top, void (*entry)(void*), void* argument, void* tls) {
  // The child starts with an empty stack: entry and argument travel on it.
  auto* stack = reinterpret_cast<uint64_t*>(reinterpret_cast<uint64_t>(stack_top) & ~uint64_t{15});
  *--stack = reinterpret_cast<uint64_t>(argument);
  *--stack = reinterpret_cast<uint64_t>(entry);
  long result;
  register long r10 asm("r10") = 0;
  register long r8 asm("r8") = reinterpret_cast<long>(tls);
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

}  // namespace cairn::sys::x86_64
