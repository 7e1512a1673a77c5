#include "trace/service.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "agent/operation.h"
#include "sys/futex.h"
#include "sys/text.h"
#include "trace/tracees.h"

namespace cairn::trace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::processor::Registers;

namespace {

constexpr uint32_t max_slots = 4;
constexpr uint32_t max_work = 256;
constexpr size_t stack_size = 64 * 1024;
constexpr uint64_t stop_patience_ns = 5'000'000'000;
constexpr uint64_t release_patience_ns = 10'000'000'000;

struct Work {
  int32_t real_tid;
  uint32_t state;     // 0: new
  uint64_t request;   // in the tracee's process
  uint32_t was_stopped;
  uint32_t done;      // let go, or gone
};

}  // namespace

struct Slot {
  alignas(64) char stack[stack_size];
  alignas(64) char frame[sizeof(Registers) + 2 * 4096 + sys::processor::max_xstate];
  alignas(64) char xstate[sys::processor::max_xstate];
  Answer answer;
  Registers registers;
  uint64_t xstate_size;
  uint64_t mask;
  int32_t tracer;       // process that stops the threads
  uint32_t busy;
  uint32_t released;
  uint32_t work_count;  // written by the tracer alone
  Work work[max_work];
};

namespace {

Slot slots[max_slots];

void pause_us(long microseconds) {
  struct timespec time = {0, microseconds * 1000};
  call_unchecked(SYS_nanosleep, &time, nullptr);
}

long transfer(long number, int32_t process, const void* local_data, uint64_t remote_address, size_t size) {
  struct iovec local = {const_cast<void*>(local_data), size};
  struct iovec remote = {reinterpret_cast<void*>(remote_address), size};
  return call(number, process, &local, 1, &remote, 1, 0);
}

template <typename T>
long request_at(long number, int32_t tid, uint64_t address, T* data) {
  return request(number, tid, address, reinterpret_cast<uintptr_t>(data));
}

bool get_registers(int32_t tid, Registers* registers) {
  struct iovec area = {registers, sizeof *registers};
  return !failed(request_at(PTRACE_GETREGSET, tid, NT_PRSTATUS, &area));
}

/// Looks at what a tracee has to tell; 0: nothing. consume: the tracer will not see it again. -1: it has ended.
int look(int32_t tid, bool consume) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  int options = WSTOPPED | WNOHANG | __WALL | (consume ? 0 : WNOWAIT | WEXITED);
  long result = call(SYS_waitid, P_PID, tid, &info, options, nullptr);
  if (failed(result)) return -1;
  if (info.si_pid == 0) return 0;
  return info.si_code == CLD_TRAPPED || info.si_code == CLD_STOPPED ? info.si_status : -1;
}

/// Waits for a stop, which is left to be seen. 0: it took too long.
int await_stop(int32_t tid) {
  uint64_t deadline = sys::now_ns() + stop_patience_ns;
  for (;;) {
    int status = look(tid, false);
    if (status != 0) return status;
    if (sys::now_ns() > deadline) return 0;
    pause_us(50);
  }
}

bool is_restart_code(uint64_t value) {
  auto code = static_cast<int64_t>(value);
  return code == -512 || code == -513 || code == -514 || code == -516;
}

bool at_call_exit(int32_t tid) {
  struct __ptrace_syscall_info info;
  memset(&info, 0, sizeof info);
  return request_at(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

/// A stop came by itself while a SIGSTOP of ours was on its way: the signal is taken out, and the stop made again.
void take_back_signal(int32_t tid, int stop_signal) {
  siginfo_t info;
  uint64_t mask = 0;
  if (failed(request_at(PTRACE_GETSIGINFO, tid, 0, &info)) || failed(request_at(PTRACE_GETSIGMASK, tid, sizeof mask, &mask))) return;
  uint64_t all = ~uint64_t{0}, all_but = all & ~(uint64_t{1} << (stop_signal - 1));
  look(tid, true);
  request_at(PTRACE_SETSIGMASK, tid, sizeof all, &all);
  request(PTRACE_CONT, tid, 0, 0);
  if (await_stop(tid) == SIGSTOP) {
    look(tid, true);
    request_at(PTRACE_SETSIGMASK, tid, sizeof all_but, &all_but);
    call_unchecked(SYS_tkill, tid, stop_signal);
    request(PTRACE_CONT, tid, 0, 0);
    if (await_stop(tid) == stop_signal) request_at(PTRACE_SETSIGINFO, tid, 0, &info);
  }
  request_at(PTRACE_SETSIGMASK, tid, sizeof mask, &mask);
}

/// 1: it is held by us; 2: it was about to stop by itself, and is; 0: neither; -1: it has ended.
int interrupt(int32_t tid, Tracee* tracee) {
  long result = request(PTRACE_INTERRUPT, tid, 0, 0);
  tracee->seized = failed(result) ? 0 : 1;
  if (failed(result)) call_unchecked(SYS_tkill, tid, SIGSTOP);
  int32_t self = static_cast<int32_t>(call(SYS_getpid));
  for (;;) {
    int status = await_stop(tid);
    if (status <= 0) return status;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    bool has_info = !failed(request_at(PTRACE_GETSIGINFO, tid, 0, &info));
    bool ours = tracee->seized != 0 ? status == (PTRACE_EVENT_STOP << 8 | SIGTRAP)
                                    : status == SIGSTOP && has_info && info.si_code == SI_TKILL && info.si_pid == self;
    if (ours) {
      look(tid, true);
      return 1;
    }
    Registers registers;
    if (tracee->request == PTRACE_SYSCALL && at_call_exit(tid) && get_registers(tid, &registers) &&
        (is_restart_code(static_cast<uint64_t>(sys::processor::call_result(registers))) || sys::processor::ended_by_stop(registers))) {
      // The call ends because of us alone.
      look(tid, true);
      tracee->within_call = 1;
      if (!is_restart_code(static_cast<uint64_t>(sys::processor::call_result(registers)))) {
        sys::processor::set_call_result(&registers, -514);
        struct iovec area = {&registers, sizeof registers};
        request_at(PTRACE_SETREGSET, tid, NT_PRSTATUS, &area);
      }
      // This stop has taken the place of the one that was asked for.
      if (tracee->seized != 0) request(PTRACE_INTERRUPT, tid, 0, 0);
      request(PTRACE_SYSCALL, tid, 0, 0);
      continue;
    }
    if (tracee->seized == 0 && has_info && status < 0x80) take_back_signal(tid, status);
    return 2;
  }
}

const char* event_name(int event) {
  switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: return "is just making a process or thread";
    case PTRACE_EVENT_EXEC: return "is just executing another program";
    case PTRACE_EVENT_VFORK_DONE: return "has just come back from vfork";
    case PTRACE_EVENT_EXIT: return "is just ending";
    case PTRACE_EVENT_SECCOMP: return "is stopped by a filter of system calls";
    default: return "is in a stop of a kind that cannot be brought back";
  }
}

/// Where it is stopped; a text: it cannot be brought back there.
const char* find_place(int32_t tid, Tracee* tracee) {
  if (failed(request_at(PTRACE_GETSIGINFO, tid, 0, &tracee->info))) return "is stopped as a whole by a signal (SIGSTOP or its like)";
  struct __ptrace_syscall_info call_info;
  memset(&call_info, 0, sizeof call_info);
  bool known = request_at(PTRACE_GET_SYSCALL_INFO, tid, sizeof call_info, &call_info) > 0;
  int event = tracee->info.si_signo == SIGTRAP || tracee->seized != 0 ? tracee->info.si_code >> 8 : 0;
  tracee->place = Place::signal;
  if (known && call_info.op == PTRACE_SYSCALL_INFO_ENTRY) tracee->place = Place::call_entry;
  else if (known && call_info.op == PTRACE_SYSCALL_INFO_EXIT) tracee->place = Place::call_exit;
  else if (event == PTRACE_EVENT_STOP && tracee->info.si_signo == SIGTRAP) tracee->place = Place::interrupted;
  else if (event == PTRACE_EVENT_STOP) return "is stopped as a whole by a signal (SIGSTOP or its like)";
  else if (event > 0) {
    tracee->place = Place::event;
    return event_name(event);
  }
  if (has_sender(tracee->info)) tracee->info.si_pid = agent::virtual_id(tracee->info.si_pid);
  return nullptr;
}

void read_pending(int32_t tid, Answer* answer) {
  for (uint32_t shared = 0; shared < 2; ++shared) {
    __ptrace_peeksiginfo_args from = {};
    from.flags = shared != 0 ? PTRACE_PEEKSIGINFO_SHARED : 0;
    from.nr = 1;
    while (answer->pending_count < max_pending_signals) {
      long got = call(SYS_ptrace, PTRACE_PEEKSIGINFO, tid, &from, &answer->pending[answer->pending_count]);
      if (got != 1) break;
      answer->pending_shared[answer->pending_count++] = shared != 0 ? 1 : 0;
      ++from.off;
    }
  }
}

const char* capture(Work* work, Tracee* tracee, Answer* answer, char* scratch) {
  int32_t tid = work->real_tid;
  memset(answer, 0, offsetof(Answer, xstate));
  if (!get_registers(tid, &answer->registers)) return "cannot be looked at by its tracer";
  struct iovec area = {scratch, sys::processor::max_xstate};
  if (failed(request_at(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &area))) return "cannot be looked at by its tracer";
  uint64_t features = 0;
  answer->xstate_size = sys::processor::used_xstate(scratch, area.iov_len, &features);
  memcpy(answer->xstate, scratch, answer->xstate_size);
  request_at(PTRACE_GETSIGMASK, tid, sizeof answer->signal_mask, &answer->signal_mask);
  struct __ptrace_rseq_configuration rseq;
  memset(&rseq, 0, sizeof rseq);
  if (!failed(request_at(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof rseq, &rseq))) {
    answer->rseq_address = rseq.rseq_abi_pointer;
    answer->rseq_size = rseq.rseq_abi_size;
    answer->rseq_signature = rseq.signature;
  }
  read_pending(tid, answer);
  for (uint32_t i = 0; i < 8; ++i) {
    uint64_t value = 0;
    request_at(PTRACE_PEEKUSER, tid, offsetof(struct user, u_debugreg) + i * 8, &value);
    tracee->debug[i] = value;
  }
  tracee->mask = answer->signal_mask;
  tracee->registers = answer->registers;
  tracee->told = look(tid, false) == 0 ? 1 : 0;
  if (work->was_stopped != 0) {
    if (const char* why = find_place(tid, tracee)) return why;
  } else {
    tracee->place = Place::running;
    tracee->told = 1;
    if (sys::processor::ended_by_stop(answer->registers)) {
      answer->interrupted = 1;
      Registers anew = answer->registers;
      sys::processor::begin_call_anew(&anew, sys::processor::call_number(anew));
      area = {&anew, sizeof anew};
      request_at(PTRACE_SETREGSET, tid, NT_PRSTATUS, &area);
    }
  }
  tracee->kept = 1;
  return nullptr;
}

void tell(const Work& work, uint32_t state) { transfer(SYS_process_vm_writev, work.real_tid, &state, work.request, sizeof state); }

void hold(Slot* slot, Work* work) {
  int32_t tid = work->real_tid;
  Answer* answer = &slot->answer;
  const char* why = nullptr;
  Request head = {};
  if (transfer(SYS_process_vm_readv, tid, &head, work->request, offsetof(Request, answer)) != offsetof(Request, answer) || head.size != sizeof(Request) ||
      head.real_tid != tid) {
    work->done = 1;
    return;
  }
  Tracee* tracee = find(agent::virtual_id(tid), true);
  if (tracee == nullptr) {
    why = "is one tracee more than can be noted";
  } else {
    tracee->tracer = agent::virtual_id(static_cast<int32_t>(call(SYS_gettid)));
    tracee->within_call = 0;
    tracee->place = Place::running;
    Registers registers;
    work->was_stopped = get_registers(tid, &registers) ? 1 : 0;
    if (work->was_stopped == 0) {
      int result = interrupt(tid, tracee);
      if (result < 0) {
        tell(*work, gone);
        work->done = 1;
        return;
      }
      if (result == 0) why = "cannot be interrupted";
      work->was_stopped = result == 2 ? 1 : 0;
    }
    if (why == nullptr) why = capture(work, tracee, answer, slot->frame);
  }
  if (why != nullptr) {
    memset(answer->why, 0, sizeof answer->why);
    sys::TextBuilder(answer->why, sizeof answer->why).add(why);
  }
  // The state comes last: whoever sees it may read the rest.
  transfer(SYS_process_vm_writev, tid, answer, work->request + offsetof(Request, answer), sizeof *answer);
  bool passes = why != nullptr && tracee != nullptr && tracee->place == Place::event;
  tell(*work, passes ? uint32_t{in_passing} : why != nullptr ? uint32_t{refused} : uint32_t{held});
}

void let_go_on(Work* work) {
  work->done = 1;
  int32_t tid = work->real_tid;
  if (work->was_stopped != 0) return;
  Tracee* tracee = find(agent::virtual_id(tid), false);
  long how = tracee != nullptr ? static_cast<long>(tracee->request) : long{PTRACE_CONT};
  if (tracee != nullptr && tracee->within_call != 0) {
    // The call begins once more, which its tracer has seen already.
    request(how, tid, 0, 0);
    if (await_stop(tid) <= 0) return;
    look(tid, true);
  }
  request(how, tid, 0, 0);
}

bool is_let_go(const Work& work) {
  uint32_t state = 0;
  return transfer(SYS_process_vm_readv, work.real_tid, &state, work.request, sizeof state) != sizeof state || state == let_go;
}

bool has_ended(int32_t process) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  return failed(call(SYS_waitid, P_PID, process, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, nullptr)) || info.si_pid != 0;
}

bool child_signal_pending() {
  uint64_t pending = 0;
  call_unchecked(SYS_rt_sigpending, &pending, sizeof pending);
  return (pending & (uint64_t{1} << (SIGCHLD - 1))) != 0;
}

/// Takes out the SIGCHLD that stops of ours have sent to the application; one that also stands for a stop or an end that it has not
/// waited for stays, since it may sleep until that comes. It is looked at afterwards: what happens from then on sends another one.
void take_child_signal() {
  siginfo_t signal;
  uint64_t set = uint64_t{1} << (SIGCHLD - 1);
  struct timespec now = {0, 0};
  if (call(SYS_rt_sigtimedwait, &set, &signal, &now, sizeof set) != SIGCHLD) return;
  siginfo_t info;
  memset(&info, 0, sizeof info);
  long result = call(SYS_waitid, P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG | WNOWAIT | __WALL, nullptr);
  if (!failed(result) && info.si_pid == 0) return;
  call_unchecked(SYS_rt_sigqueueinfo, call(SYS_getpid), SIGCHLD, &signal);
}

[[noreturn]] void serve(Slot* slot) {
  bool pending_before = child_signal_pending();
  uint64_t last = 0;
  long nap = 100;
  for (;;) {
    bool all_done = true;
    uint32_t count = __atomic_load_n(&slot->work_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count; ++i) {
      Work* work = &slot->work[i];
      if (work->state == 0) {
        work->state = 1;
        hold(slot, work);
        nap = 100;
      }
      if (work->done == 0 && (is_let_go(*work) || (last != 0 && sys::now_ns() >= last))) let_go_on(work);
      if (work->done == 0) all_done = false;
    }
    if (last == 0 && (sys::load(&slot->released) != 0 || has_ended(slot->tracer))) last = sys::now_ns() + release_patience_ns;
    if (last != 0 && all_done) break;
    pause_us(nap);
    if (nap < 2000) nap += 50;
  }
  if (!pending_before) take_child_signal();
  stack_t alternate = {};
  call_unchecked(SYS_sigaltstack, nullptr, &alternate);
  uint64_t frame = sys::processor::build_frame(slot->frame, slot->registers, sys::Text(slot->xstate, slot->xstate_size), slot->mask,
                                            reinterpret_cast<uintptr_t>(alternate.ss_sp), alternate.ss_size, static_cast<uint32_t>(alternate.ss_flags));
  static uint32_t left;
  __atomic_store_n(&slot->busy, 0, __ATOMIC_RELEASE);
  sys::processor::enter_frame(frame, &left);
}

}  // namespace

Slot* take_slot(int32_t, int32_t tracer, const Registers& registers, const char* xstate, uint64_t xstate_size, uint64_t mask) {
  for (Slot& slot : slots) {
    if (__atomic_exchange_n(&slot.busy, 1, __ATOMIC_ACQ_REL) != 0) continue;
    slot.registers = registers;
    sys::processor::make_restartable(&slot.registers, -1);
    memcpy(slot.xstate, xstate, xstate_size);
    slot.xstate_size = xstate_size;
    slot.mask = mask;
    slot.tracer = tracer;
    slot.released = 0;
    slot.work_count = 0;
    return &slot;
  }
  return nullptr;
}

const char* why_not_held() { return nullptr; }

void enter(const Slot* slot, Registers* registers) {
  registers->rip = reinterpret_cast<uintptr_t>(serve);
  registers->rdi = reinterpret_cast<uintptr_t>(slot);
  registers->rsp = (reinterpret_cast<uintptr_t>(slot->stack) + stack_size - 64) / 16 * 16 - 8;
  registers->rbp = 0;
  registers->eflags &= ~uint64_t{0x500};  // neither step by step nor backwards
  registers->rax = 0;
  sys::processor::forget_call(registers);
}

bool add(Slot* slot, int32_t real_tid, uint64_t request) {
  for (uint32_t i = 0; i < slot->work_count; ++i) {
    if (slot->work[i].real_tid == real_tid && slot->work[i].request == request) return true;
  }
  if (slot->work_count == max_work) return false;
  slot->work[slot->work_count] = {real_tid, 0, request, 0, 0};
  __atomic_store_n(&slot->work_count, slot->work_count + 1, __ATOMIC_RELEASE);
  return true;
}

void release(Slot* slot) { sys::store_and_wake(&slot->released, 1); }

void reset_services() {
  for (Slot& slot : slots) slot.busy = 0;
}

bool in_service(uint64_t stack) {
  uint64_t start = reinterpret_cast<uintptr_t>(slots);
  return stack >= start && stack <= start + sizeof slots;
}

}  // namespace cairn::trace
