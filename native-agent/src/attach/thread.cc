#include "attach/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "image/attached.h"
#include "sys/context.h"

namespace cairn::attach {
namespace {

constexpr uint64_t red_zone = 128;
constexpr long restart_block = -516;  // the kernel's

// Of this program, which attaches one process.
image::AttachedCall calls[image::attached_calls];

}  // namespace

double now() {
  struct timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void note_calls(const Target& target, uint64_t table) {
  for (uint32_t i = 0; i < image::attached_calls; ++i) {
    if (calls[i].tid != 0) (void)target.write(table + i * sizeof calls[i], &calls[i], sizeof calls[i]);
  }
}

bool Thread::wait_stop(int* status) {
  while (waitpid(tid_, status, __WALL) != tid_) {
    if (errno != EINTR) return false;
  }
  return WIFSTOPPED(*status);
}

int Thread::stop() {
  if (ptrace(PTRACE_SEIZE, tid_, nullptr, PTRACE_O_TRACESYSGOOD) != 0) return errno;
  seized_ = true;
  if (ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) return errno;
  for (;;) {
    int status = 0;
    if (!wait_stop(&status)) {
      seized_ = false;
      return ESRCH;
    }
    if (status >> 16 == PTRACE_EVENT_STOP) break;
    // It is about to take a signal: let it, the stop follows at once.
    ptrace(PTRACE_CONT, tid_, nullptr, WSTOPSIG(status));
  }
  stopped_ = true;
  if (ptrace(PTRACE_GETREGS, tid_, nullptr, &registers_) != 0) return errno;
  if (ptrace(PTRACE_GETSIGMASK, tid_, sizeof mask_, &mask_) != 0) return errno;
  auto number = static_cast<long>(registers_.orig_rax);
  if (static_cast<long>(registers_.rax) == restart_block && number >= 0 && number != SYS_restart_syscall) {
    calls[static_cast<uint32_t>(tid_) % image::attached_calls] = {tid_, number, registers_.rip, registers_.rsp};
  }
  // The few calls that the stop has ended begin anew.
  if (sys::processor::ended_by_stop(registers_)) {
    sys::processor::begin_call_anew(&registers_, static_cast<long>(registers_.orig_rax));
    if (!set(registers_)) return errno;
  }
  return 0;
}

bool Thread::set(const user_regs_struct& registers) { return ptrace(PTRACE_SETREGS, tid_, nullptr, &registers) == 0; }

void Thread::let_go() {
  if (stopped_) ptrace(PTRACE_DETACH, tid_, nullptr, nullptr);
  stopped_ = seized_ = false;
}

bool Thread::in_blocking_call() const {
  auto result = static_cast<long>(registers_.rax);
  // -ERESTARTSYS and its kin; or made ready to begin anew, above.
  if (static_cast<long>(registers_.orig_rax) >= 0) return result <= -512 && result >= -516;
  unsigned char code[2] = {};
  return target_->read(registers_.rip, code, sizeof code) && code[0] == 0x0f && code[1] == 0x05;
}

bool Thread::send_to(uint64_t entry) {
  constexpr long restart_sys = -512;
  if (static_cast<long>(registers_.orig_rax) < 0 || static_cast<long>(registers_.rax) != restart_sys) return false;
  user_regs_struct sent = registers_;
  sent.rcx = registers_.rip;
  sent.r11 = registers_.eflags;
  sent.rax = registers_.orig_rax;
  sent.orig_rax = static_cast<unsigned long long>(-1);
  sent.rip = entry;
  if (!set(sent)) return false;
  let_go();
  return true;
}

bool Thread::has_pending_signal() const {
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/%d/task/%d/status", target_->pid(), tid_);
  FILE* file = fopen(path, "re");
  unsigned long long own = 0, shared = 0;
  while (file != nullptr && fgets(line, sizeof line, file) != nullptr) {
    sscanf(line, "SigPnd: %llx", &own);
    sscanf(line, "ShdPnd: %llx", &shared);
  }
  if (file != nullptr) fclose(file);
  return ((own | shared) & ~mask_) != 0;
}

uint64_t Thread::block_address() const {
  uint64_t address = (registers_.rsp - red_zone - sizeof(VisitBlock)) & ~uint64_t{63};
  uint64_t start = 0, end = 0;
  bool executable = false;
  if (!target_->mapping_of(registers_.rsp, &start, &end, &executable)) return 0;
  return address >= start ? address : 0;
}

bool Thread::run_to_mark(uint64_t code, double deadline) {
  for (long signal = 0;;) {
    if (ptrace(PTRACE_SYSCALL, tid_, nullptr, signal) != 0) return false;
    int status = 0;
    for (;;) {
      pid_t found = waitpid(tid_, &status, __WALL | WNOHANG);
      if (found == tid_) break;
      if (found < 0 && errno != EINTR) return false;
      if (now() > deadline) return false;
      struct timespec pause = {0, 50'000};
      nanosleep(&pause, nullptr);
    }
    if (!WIFSTOPPED(status)) {
      stopped_ = seized_ = false;
      return false;
    }
    // A signal that came before the visit has blocked all; a stop of the whole program, in which the thread goes on for now.
    signal = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80) ? WSTOPSIG(status) : 0;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) continue;
    user_regs_struct at = {};
    if (ptrace(PTRACE_GETREGS, tid_, nullptr, &at) != 0) return false;
    bool within = at.rip >= code && at.rip < code + visit_code_size();
    if (within && static_cast<long>(at.orig_rax) == SYS_getpid && at.rdi == visit_end_mark) return true;
  }
}

bool Thread::visit(VisitBlock* block, uint64_t code, double deadline) {
  uint64_t address = block_address();
  set_return(block, registers_);
  block->mask = mask_;
  block->all = ~uint64_t{0};
  block->stage = visit_begun;
  if (address == 0 || !target_->write(address, block, sizeof *block)) return false;
  user_regs_struct sent = registers_;
  sent.rip = code;
  sent.rsp = sent.rbx = address;
  sent.orig_rax = static_cast<unsigned long long>(-1);
  sent.eflags &= ~uint64_t{0x400};
  if (!set(sent)) return false;
  if (!run_to_mark(code, deadline)) {
    // Wherever it is, it comes back by itself.
    if (seized_) {
      ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr);
      int status = 0;
      if (wait_stop(&status)) ptrace(PTRACE_DETACH, tid_, nullptr, nullptr);
    }
    stopped_ = seized_ = false;
    return false;
  }
  bool ok = target_->read(address, block, sizeof *block);
  // On its way out of the call it stops once more, where the kernel decides what becomes of an interrupted call.
  ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr);
  for (int status = 0;;) {
    if (ptrace(PTRACE_CONT, tid_, nullptr, nullptr) != 0 || !wait_stop(&status)) return false;
    if (status >> 16 == PTRACE_EVENT_STOP) break;
  }
  ptrace(PTRACE_SETSIGMASK, tid_, sizeof mask_, &mask_);
  set(registers_);
  let_go();
  return ok;
}

}  // namespace cairn::attach
