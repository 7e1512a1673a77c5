// i386: registers by ptrace, thread pointers, the frame of rt_sigreturn, new threads. See sys/context.h.
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

// The kernel's struct rt_sigframe. rt_sigreturn takes it with the stack pointer behind the first word, as a handler's return leaves it.
struct Frame {
  uint32_t return_address;
  uint32_t signal;
  uint32_t info_pointer;
  uint32_t context_pointer;
  uint32_t info[32];
  uint32_t flags;
  uint32_t link;
  uint32_t stack_pointer;
  uint32_t stack_flags;
  uint32_t stack_size;
  struct sigcontext context;
  uint32_t mask[2];
  uint32_t code[2];
};
enum : uint32_t { frame_has_xstate = 1 };
constexpr size_t consumed = sizeof(uint32_t);

static_assert(sizeof(struct sigcontext) == 88 && sizeof(Frame) == 4 * 4 + 128 + 20 + 88 + 8 + 8);

// Before the XSAVE area the frame has the state of the x87 as fsave writes it, and that is what the kernel takes.
struct LegacyState {
  uint32_t control;
  uint32_t status;
  uint32_t tags;
  uint32_t instruction;
  uint32_t instruction_selector;  // and the operation code
  uint32_t operand;
  uint32_t operand_selector;
  uint8_t registers[80];
  uint16_t status_again;
  uint16_t magic;  // 0: an XSAVE area follows
};
static_assert(sizeof(LegacyState) == 112);

constexpr uint32_t user_code = 0x23;
constexpr uint32_t of_local_table = 4;  // bit of a selector: one of modify_ldt(2)

uint32_t part(const char* area, size_t offset, size_t size) {
  uint32_t value = 0;
  memcpy(&value, area + offset, size);
  return value;
}

LegacyState legacy_state(const char* fxsave) {
  LegacyState state = {};
  state.control = 0xffff0000 | part(fxsave, 0, 2);
  state.status = 0xffff0000 | part(fxsave, 2, 2);
  state.tags = 0xffff0000;
  uint32_t used = part(fxsave, 4, 1);
  for (unsigned i = 0; i < 8; ++i) {
    // The finer kinds of a register that is used are found in its content.
    if ((used & (1u << i)) == 0) state.tags |= 3u << (2 * i);
    memcpy(state.registers + 10 * i, fxsave + 32 + 16 * i, 10);
  }
  state.instruction = part(fxsave, 8, 4);
  state.instruction_selector = part(fxsave, 12, 2) | part(fxsave, 6, 2) << 16;
  state.operand = part(fxsave, 16, 4);
  state.operand_selector = 0xffff0000 | part(fxsave, 20, 2);
  state.status_again = static_cast<uint16_t>(part(fxsave, 2, 2));
  return state;
}

uint32_t aligned_up(uint32_t address) { return (address + xstate_alignment - 1) & ~static_cast<uint32_t>(xstate_alignment - 1); }

struct sigcontext* context_of(uint64_t frame) {
  return &reinterpret_cast<Frame*>(static_cast<uintptr_t>(frame) - consumed)->context;
}

}  // namespace

bool repeatable_after_eintr(const Registers& registers) {
  constexpr long connect_by_socketcall = 3;
  switch (call_number(registers)) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_rt_sigtimedwait:
    case SYS_rt_sigtimedwait_time64:
    case SYS_ipc:  // of its calls only those on semaphores and queues wait
    case SYS_semtimedop_time64:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_pgetevents_time64:
    case SYS_io_uring_enter:
    case SYS_read:
    case SYS_readv:
    case SYS_write:
    case SYS_writev:
    case SYS_accept4:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_recvmmsg_time64:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_ppoll_time64:
    case SYS_select:
    case SYS__newselect:
    case SYS_pselect6:
    case SYS_pselect6_time64:
    case SYS_pause:
    case SYS_sigsuspend:
    case SYS_rt_sigsuspend:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_mq_timedreceive:
    case SYS_mq_timedreceive_time64:
    case SYS_mq_timedsend:
    case SYS_mq_timedsend_time64:
    case SYS_futex:
    case SYS_futex_time64:
    case SYS_waitpid:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_flock:
      return true;
    // What was given until then is taken back, or stays and is found again; not where contents move.
    case SYS_fallocate:
      return (registers.ecx & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) == 0;
    // tcdrain: no break is sent.
    case SYS_ioctl:
      return registers.ecx == TCSBRK && registers.edx != 0;
    case SYS_socketcall:
      return registers.ebx != connect_by_socketcall;
    default:
      return false;
  }
}

void use_pointers(const ThreadPointers& pointers) {
  for (const struct user_desc& segment : pointers.segments) {
    if (segment.entry_number != 0) call_unchecked(SYS_set_thread_area, &segment);
  }
  asm volatile("mov %0, %%gs" : : "r"(pointers.selector) : "memory");
}

long read_registers(int32_t tid, Registers* registers) {
  char place[256];  // for a thread in another mode, which has more
  struct iovec area = {place, sizeof place};
  long result = call(SYS_ptrace, PTRACE_GETREGSET, tid, NT_PRSTATUS, &area);
  if (failed(result)) return result;
  if (area.iov_len != sizeof(user_regs_struct)) return -ENOTSUP;
  memset(registers, 0, sizeof *registers);
  memcpy(static_cast<user_regs_struct*>(registers), place, sizeof(user_regs_struct));
  long selectors = registers->xcs | registers->xds | registers->xes | registers->xfs | registers->xgs | registers->xss;
  if ((registers->xcs & 0xffff) != user_code || (selectors & of_local_table) != 0) return -ENOTSUP;
  area = {registers->segments, sizeof registers->segments};
  return call(SYS_ptrace, PTRACE_GETREGSET, tid, NT_386_TLS, &area);
}

long write_registers(int32_t tid, const Registers& registers) {
  struct iovec area = {const_cast<Registers*>(&registers), sizeof(user_regs_struct)};
  return call(SYS_ptrace, PTRACE_SETREGSET, tid, NT_PRSTATUS, &area);
}

size_t frame_size(size_t xstate_size) {
  return sizeof(Frame) + sizeof(LegacyState) + xstate_alignment + xstate_size_in_frame(xstate_size) + xstate_alignment;
}

uint64_t build_frame(void* memory, const Registers& r, Text xstate, uint64_t signal_mask, uint64_t altstack_sp,
                     uint64_t altstack_size, uint32_t altstack_flags) {
  auto* frame = static_cast<Frame*>(memory);
  memset(frame, 0, sizeof *frame);
  frame->stack_pointer = static_cast<uint32_t>(altstack_sp);
  frame->stack_flags = altstack_flags;
  frame->stack_size = static_cast<uint32_t>(altstack_size);
  memcpy(frame->mask, &signal_mask, sizeof frame->mask);
  struct sigcontext& c = frame->context;
  c.gs = static_cast<uint16_t>(r.xgs);
  c.fs = static_cast<uint16_t>(r.xfs);
  c.es = static_cast<uint16_t>(r.xes);
  c.ds = static_cast<uint16_t>(r.xds);
  c.cs = static_cast<uint16_t>(r.xcs);
  c.ss = static_cast<uint16_t>(r.xss);
  c.edi = static_cast<uint32_t>(r.edi);
  c.esi = static_cast<uint32_t>(r.esi);
  c.ebp = static_cast<uint32_t>(r.ebp);
  c.esp = static_cast<uint32_t>(r.esp);
  c.ebx = static_cast<uint32_t>(r.ebx);
  c.edx = static_cast<uint32_t>(r.edx);
  c.ecx = static_cast<uint32_t>(r.ecx);
  c.eax = static_cast<uint32_t>(r.eax);
  c.eip = static_cast<uint32_t>(r.eip);
  c.eflags = static_cast<uint32_t>(r.eflags);
  c.esp_at_signal = c.esp;
  if (xstate.size >= legacy_area + xsave_header) {
    uint32_t area = aligned_up(reinterpret_cast<uint32_t>(memory) + sizeof(Frame) + sizeof(LegacyState));
    build_xstate(reinterpret_cast<char*>(area), xstate);
    LegacyState legacy = legacy_state(xstate.data);
    uint32_t state = area - sizeof legacy;
    memcpy(reinterpret_cast<void*>(state), &legacy, sizeof legacy);
    frame->flags |= frame_has_xstate;
    memcpy(&c.fpstate, &state, sizeof state);
  }
  return reinterpret_cast<uintptr_t>(frame) + consumed;
}

bool call_of_frame(uint64_t frame, int64_t* number, uint64_t* arguments, uint64_t* stack) {
  const struct sigcontext& c = *context_of(frame);
  unsigned char code[2];
  if (!peek(c.eip, code, sizeof code)) return false;
  if (code[0] != 0xcd || code[1] != 0x80) return false;  // int $0x80
  *number = static_cast<int32_t>(c.eax);
  *stack = c.esp;
  const uint64_t values[] = {c.ebx, c.ecx, c.edx, c.esi, c.edi, c.ebp};
  memcpy(arguments, values, sizeof values);
  return true;
}

bool set_frame_argument(uint64_t frame, uint32_t argument, uint64_t value) {
  int64_t number;
  uint64_t arguments[6], stack;
  if (argument >= 6 || !call_of_frame(frame, &number, arguments, &stack)) return false;
  struct sigcontext& c = *context_of(frame);
  decltype(&c.ebx) const places[] = {&c.ebx, &c.ecx, &c.edx, &c.esi, &c.edi, &c.ebp};
  *places[argument] = static_cast<uint32_t>(value);
  return true;
}

uint64_t* frame_instruction(uint64_t) { return nullptr; }
bool read_frame(uint64_t, Registers*, char**, size_t*) { return false; }
bool write_frame(uint64_t, const Registers&) { return false; }
bool get_numbered(const Registers&, uint64_t*) { return false; }
bool set_numbered(Registers*, const uint64_t*) { return false; }

void enter_frame(uint64_t frame, uint32_t* left) {
  asm volatile("lock incl (%2)\n\tmov %0, %%esp\n\tmov %1, %%eax\n\tint $0x80\n\tud2"
               : : "r"(static_cast<uint32_t>(frame)), "i"(SYS_rt_sigreturn), "r"(left) : "memory");
  __builtin_unreachable();
}

void exit_thread(uint32_t status, uint32_t* left) {
  asm volatile("lock incl (%1)\n\tmov %0, %%eax\n\tint $0x80\n\tud2"
               : : "i"(SYS_exit), "r"(left), "b"(status) : "memory");
  __builtin_unreachable();
}

void jump_to(uint64_t entry, void* argument, uint64_t stack_top) {
  auto* stack = reinterpret_cast<void**>((static_cast<uint32_t>(stack_top) & ~15u) - 16);
  *stack = argument;
  asm volatile("mov %0, %%esp\n\txor %%ebp, %%ebp\n\tcall *%1\n\tud2" : : "r"(stack), "r"(static_cast<uint32_t>(entry)) : "memory");
  __builtin_unreachable();
}

long clone_with_stack(uint64_t flags, void* stack_top, void (*entry)(void*), void* argument, const ThreadPointers* tls) {
  // The child starts with an empty stack: entry and argument travel on it, the second to where the function looks for it.
  auto* stack = reinterpret_cast<uint32_t*>((reinterpret_cast<uint32_t>(stack_top) & ~15u) - 16);
  *stack = reinterpret_cast<uint32_t>(argument);
  *--stack = reinterpret_cast<uint32_t>(entry);
  long result;
  asm volatile(
      "int $0x80\n\t"
      "test %%eax, %%eax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%eax\n\t"
      "call *%%eax\n\t"
      "mov %[exit], %%eax\n\t"
      "xor %%ebx, %%ebx\n\t"
      "int $0x80\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(SYS_clone), "b"(static_cast<uint32_t>(flags)), "c"(stack), "d"(0), "S"(tls == nullptr ? nullptr : &tls->segments[0]),
        "D"(0), [exit] "i"(SYS_exit)
      : "memory");
  return result;
}

}  // namespace cairn::sys::processor
