#include "trace/again.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cairn/plugin.h>

#include "agent/operation.h"
#include "events/names.h"
#include "sys/futex.h"
#include "trace/tracees.h"

namespace cairn::trace {

using sys::call;
using sys::call_unchecked;
using sys::failed;
using sys::processor::Registers;

namespace {

constexpr uint32_t max_traced = 1024;
constexpr uint64_t patience_ns = 20'000'000'000;

enum : uint32_t { waits = 0, may_go = 1, is_there = 2 };

// Written by the tracer, eight bytes at once.
struct Word {
  uint32_t state;
  uint32_t reserved;
};

int32_t traced[max_traced];
uint32_t traced_count = 0;
alignas(8) Word words[max_traced];

void pause_us(long microseconds) {
  struct timespec time = {0, microseconds * 1000};
  call_unchecked(SYS_nanosleep, &time, nullptr);
}

template <typename T>
long request_at(long number, int32_t tid, uint64_t address, T* data) {
  return request(number, tid, address, reinterpret_cast<uintptr_t>(data));
}

bool get_registers(int32_t tid, Registers* registers) {
  struct iovec area = {registers, sizeof *registers};
  return !failed(request_at(PTRACE_GETREGSET, tid, NT_PRSTATUS, &area));
}
void set_registers(int32_t tid, const Registers& registers) {
  struct iovec area = {const_cast<Registers*>(&registers), sizeof registers};
  request_at(PTRACE_SETREGSET, tid, NT_PRSTATUS, &area);
}
void set_mask(int32_t tid, uint64_t mask) { request_at(PTRACE_SETSIGMASK, tid, sizeof mask, &mask); }

/// The next stop; keep: the application is to wait for it. 0: there is none.
int next_stop(int32_t tid, bool keep) {
  for (uint64_t deadline = sys::now_ns() + patience_ns; sys::now_ns() < deadline; pause_us(50)) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    long result = call(SYS_waitid, P_PID, tid, &info, WSTOPPED | WNOHANG | __WALL | (keep ? WNOWAIT : 0), nullptr);
    if (failed(result)) return 0;
    if (info.si_pid != 0) return info.si_status;
  }
  return 0;
}

bool tell(int32_t tid, uint64_t address, uint32_t state) { return !failed(request(PTRACE_POKEDATA, tid, address, state)); }

/// As it was, where the call that it was in begins anew with the arguments of today.
Registers stopped_registers(const Tracee& tracee, const Registers& now) {
  auto code = static_cast<int64_t>(tracee.registers.rax);
  bool begins_anew = static_cast<int64_t>(tracee.registers.orig_rax) >= 0 && (code == -512 || code == -513 || code == -514 || code == -516);
  if (!begins_anew) return tracee.registers;
  Registers registers = now;
  registers.rip += 2;
  registers.orig_rax = now.rax;
  // What the kernel knew of the rest of a time is gone: the call begins from its start.
  registers.rax = code == -516 ? static_cast<uint64_t>(-514) : tracee.registers.rax;
  return registers;
}

/// From behind rt_sigreturn, with all registers, into the stop.
void stop_again(int32_t tid, const Tracee& tracee) {
  Registers now;
  if (!get_registers(tid, &now)) return;
  bool keep = tracee.told == 0;
  switch (tracee.place) {
    case Place::signal: {
      siginfo_t info = tracee.info;
      if (has_sender(info)) info.si_pid = agent::real_id(info.si_pid);
      int number = info.si_signo;
      set_mask(tid, ~(uint64_t{1} << (number - 1)));
      call_unchecked(SYS_tkill, tid, number);
      request(PTRACE_CONT, tid, 0, 0);
      next_stop(tid, keep);
      request_at(PTRACE_SETSIGINFO, tid, 0, &info);
      set_registers(tid, stopped_registers(tracee, now));
      set_mask(tid, tracee.mask);
      return;
    }
    case Place::interrupted:
      request(PTRACE_INTERRUPT, tid, 0, 0);
      request(PTRACE_CONT, tid, 0, 0);
      next_stop(tid, keep);
      set_registers(tid, stopped_registers(tracee, now));
      return;
    case Place::call_entry: {
      Registers before = tracee.registers;
      before.rip -= 2;
      before.rax = before.orig_rax;
      before.orig_rax = static_cast<uint64_t>(-1);
      set_registers(tid, before);
      set_mask(tid, ~uint64_t{0});
      request(PTRACE_SYSCALL, tid, 0, 0);
      next_stop(tid, keep);
      set_mask(tid, tracee.mask);
      return;
    }
    case Place::call_exit:
      // It is in such a stop, and its tracer has not waited for it if it is to.
      set_registers(tid, stopped_registers(tracee, now));
      return;
    case Place::event: return;  // refused at the checkpoint
    case Place::running:
      if (tracee.within_call != 0) {
        request(tracee.request, tid, 0, 0);
        next_stop(tid, false);
      }
      request(tracee.request, tid, 0, 0);
      return;
  }
}

/// The last one turns the others on, which its tracer may have been about to do.
void set_debug_registers(int32_t tid, const Tracee& tracee) {
  constexpr uint32_t order[] = {0, 1, 2, 3, 6, 7};
  for (uint32_t i : order) {
    if (tracee.debug[i] != 0) request(PTRACE_POKEUSER, tid, offsetof(struct user, u_debugreg) + i * 8, tracee.debug[i]);
  }
}

void attach(Tracee* tracee) {
  int64_t address = 0;
  uint64_t deadline = sys::now_ns() + patience_ns;
  while (events::get_name(CAIRN_NAMES_TRACED_AGAIN, tracee->virtual_tid, &address) != 0) {
    if (sys::now_ns() > deadline) return;
    pause_us(200);
  }
  int32_t tid = agent::real_id(tracee->virtual_tid);
  auto word = static_cast<uint64_t>(address);
  if (failed(request(tracee->seized != 0 ? PTRACE_SEIZE : PTRACE_ATTACH, tid, 0, 0))) return;
  if (tracee->seized != 0) request(PTRACE_INTERRUPT, tid, 0, 0);
  if (next_stop(tid, false) == 0 || !tell(tid, word, may_go)) return;
  // Through rt_sigreturn: behind it the thread has its own state, and has not yet run with it.
  for (bool begun = false;;) {
    request(PTRACE_SYSCALL, tid, 0, 0);
    bool last = begun && tracee->place == Place::call_exit && tracee->told == 0;
    if (next_stop(tid, last) == 0) return;
    if (begun) break;
    Registers registers;
    if (!get_registers(tid, &registers) || registers.orig_rax != SYS_rt_sigreturn) continue;
    begun = true;
    request(PTRACE_SETOPTIONS, tid, 0, tracee->options);
  }
  tell(tid, word, is_there);
  set_debug_registers(tid, *tracee);
  stop_again(tid, *tracee);
}

}  // namespace

void forget_traced() { traced_count = 0; }

bool add_traced(int32_t virtual_tid) {
  if (traced_count == max_traced) return false;
  traced[traced_count++] = virtual_tid;
  return true;
}

void expect_tracers() { memset(words, 0, sizeof words); }

bool is_traced(int32_t virtual_tid) {
  for (uint32_t i = 0; i < traced_count; ++i) {
    if (traced[i] == virtual_tid) return true;
  }
  return false;
}

bool await_tracer(int32_t virtual_tid) {
  uint32_t index = 0;
  while (traced[index] != virtual_tid) ++index;
  Word* word = &words[index];
  (void)events::set_name(CAIRN_NAMES_TRACED_AGAIN, virtual_tid, static_cast<int64_t>(reinterpret_cast<uintptr_t>(word)));
  for (uint64_t deadline = sys::now_ns() + patience_ns; sys::load(&word->state) == waits;) {
    if (sys::now_ns() > deadline) break;
    pause_us(500);
  }
  (void)events::remove_name(CAIRN_NAMES_TRACED_AGAIN, virtual_tid);
  return sys::load(&word->state) != waits;
}

uint32_t awaiting_count() { return traced_count; }

uint32_t attached_count() {
  uint32_t count = 0;
  for (uint32_t i = 0; i < traced_count; ++i) count += sys::load(&words[i].state) == is_there ? 1 : 0;
  return count;
}

void attach_again(int32_t virtual_tid) {
  if (!any()) return;
  for (uint32_t i = 0; i < max_tracees; ++i) {
    Tracee& tracee = place(i);
    if (tracee.virtual_tid > 0 && tracee.kept != 0 && tracee.tracer == virtual_tid) attach(&tracee);
  }
}

}  // namespace cairn::trace
