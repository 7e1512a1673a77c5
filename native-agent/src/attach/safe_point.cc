#include "attach/safe_point.h"

#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "attach/callers.h"

namespace cairn::attach {
namespace {

constexpr size_t deepest = 8 << 20;  // of a stack that is searched
constexpr int max_threads = 4096;

/// Functions that hold, or may hold, locks of malloc or of the loader while they call others.
constexpr const char* locking[] = {
    "malloc", "free", "calloc", "realloc", "reallocarray", "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc",
    "malloc_trim", "malloc_stats", "mallinfo", "mallopt", "dlopen", "dlmopen", "dlclose", "dlsym", "dlvsym", "dladdr", "dladdr1",
    "dlinfo", "dl_iterate_phdr", "_dl_find_object", "fork", "vfork", "_Fork", "pthread_create", "pthread_atfork",
    "__register_atfork", "setenv", "putenv", "unsetenv", "clearenv", "__libc_dlopen_mode", "posix_spawn", "posix_spawnp",
};

int list_threads(pid_t pid, pid_t* tids) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* folder = opendir(path);
  int count = 0;
  while (folder != nullptr && count < max_threads) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) break;
    if (entry->d_name[0] != '.') tids[count++] = atoi(entry->d_name);
  }
  if (folder != nullptr) closedir(folder);
  return count;
}

/// libc waits for its locks by FUTEX_WAIT; for semaphores, conditions and ends of threads by FUTEX_WAIT_BITSET.
bool waits_for_lock(long number, const user_regs_struct& at) {
  constexpr uint64_t command = 0x7f;
  return number == SYS_futex && (at.rsi & command) != FUTEX_WAIT_BITSET;
}

/// Calls that go on exactly where they were, also if cairn-attach is killed, come first.
int order_of(long number) {
  switch (number) {
    case -1: return 3;
    case SYS_futex: return 2;
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_rt_sigtimedwait:
    case SYS_semtimedop: return 1;
    default: return 0;
  }
}

}  // namespace

long waiting_call(pid_t pid, pid_t tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", pid, tid);
  FILE* file = fopen(path, "re");
  long number = -1;
  if (file != nullptr) {
    if (fscanf(file, "%ld", &number) != 1) number = -1;
    fclose(file);
  }
  return number;
}

SafePoint::SafePoint(const Target* target) : target_(target) {
  for (const char* name : locking) {
    // Whoever defines it: a program may bring a malloc of its own.
    for (int i = 0; i < target->count() && range_count_ < max_ranges; ++i) {
      Symbol symbol;
      if (target->find(target->module(i), name, &symbol) && symbol.end > symbol.start) ranges_[range_count_++] = symbol;
    }
  }
}

SafePoint::~SafePoint() = default;

bool SafePoint::is_locking(uint64_t address) const {
  const Module* loader = target_->loader();
  if (loader != nullptr && loader->holds(address)) return true;
  for (int i = 0; i < range_count_; ++i) {
    if (address > ranges_[i].start && address <= ranges_[i].end) return true;
  }
  return false;
}

/// A return address has a call in front of it; other numbers of the stack rarely have.
bool SafePoint::follows_call(uint64_t address) const {
  unsigned char code[7];
  if (!target_->read(address - sizeof code, code, sizeof code)) return false;
  if (code[2] == 0xe8) return true;                      // call rel32
  auto indirect = [&](int at) { return code[at] == 0xff && (code[at + 1] & 0x38) == 0x10; };
  return indirect(5) || indirect(4) || indirect(3) || indirect(1) || indirect(0);
}

/// mov $15, %rax; syscall: where signal handlers return to.
bool SafePoint::is_signal_return(uint64_t address) const {
  static const unsigned char expected[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};
  unsigned char code[sizeof expected];
  return target_->read(address, code, sizeof code) && memcmp(code, expected, sizeof code) == 0;
}

/// One that the C library has made: its description points to itself.
bool SafePoint::is_known_thread(const Thread& thread) const {
  uint64_t self = 0, base = thread.registers().fs_base;
  return base != 0 && target_->read(base + 16, &self) && self == base;
}

/// In the middle of a function of the C library, or of whatever has the program's malloc if that is a library.
bool SafePoint::is_within_libc(uint64_t address) const {
  const Module* module = target_->module_at(address);
  Symbol symbol;
  if (module == nullptr || module == target_->definer("gnu_get_libc_version", &symbol)) return true;
  return module != &target_->module(0) && module == target_->definer("malloc", &symbol);
}

/// Whether a signal could come at this place without meeting a lock there; those of its callers are another matter.
bool SafePoint::is_harmless_to_interrupt(uint64_t address) const {
  if (is_locking(address)) return false;
  unsigned char code[2];
  constexpr unsigned char system_call[] = {0x0f, 0x05};
  return !is_within_libc(address) || (target_->read(address - 2, code, 2) && memcmp(code, system_call, 2) == 0);
}

bool SafePoint::is_safe(const Thread& thread, bool waiting_only) const {
  const user_regs_struct& at = thread.registers();
  if (!is_known_thread(thread) || thread.has_pending_signal() || thread.block_address() == 0) return false;
  long number = static_cast<long>(at.orig_rax) >= 0 ? static_cast<long>(at.orig_rax) : static_cast<long>(at.rax);
  bool waiting = thread.in_blocking_call();
  bool lock = !waiting || waits_for_lock(number, at);
  if (lock && waiting_only) return false;
  if (lock && is_locking(at.rip)) return false;
  if (!waiting && is_within_libc(at.rip)) return false;
  Verdict verdict = judge_callers(at, lock);
  return verdict == Verdict::unknown ? search_stack(at, lock) : verdict == Verdict::safe;
}

/// `lock`: a function that has called, at whatever distance, may hold a lock.
SafePoint::Verdict SafePoint::judge_callers(const user_regs_struct& at, bool lock) const {
  Callers callers(target_, at);
  for (;;) {
    switch (callers.next()) {
      case Callers::Step::end: return Verdict::safe;
      case Callers::Step::unknown: return Verdict::unknown;
      case Callers::Step::interrupted:
        if (!is_harmless_to_interrupt(callers.instruction())) return Verdict::unsafe;
        lock = true;
        break;
      case Callers::Step::caller:
        if (!is_signal_return(callers.instruction()) && !follows_call(callers.instruction())) return Verdict::unknown;
        if (lock && is_locking(callers.instruction())) return Verdict::unsafe;
        break;
    }
  }
}

bool SafePoint::search_stack(const user_regs_struct& at, bool lock) const {
  uint64_t start = 0, end = 0;
  bool executable = false;
  if (!target_->mapping_of(at.rsp, &start, &end, &executable)) return false;
  if (end - at.rsp > deepest) end = at.rsp + deepest;
  size_t size = (end - at.rsp) & ~size_t{7};
  auto* stack = static_cast<uint64_t*>(malloc(size));
  bool safe = stack != nullptr && target_->read(at.rsp, stack, size);
  for (size_t i = 0; safe && i < size / sizeof(uint64_t); ++i) {
    uint64_t word = stack[i];
    if (target_->module_at(word) == nullptr) continue;
    if (is_signal_return(word)) {
      // A handler's frame, or what is left of one: it has the segments of the code that was interrupted. Others are the word of an
      // action that sigaction(2) was given, or gave. Whom a handler interrupted must not hold a lock either; elsewhere it could not be seen.
      constexpr size_t stack_pointer = 21, instruction = 22, segments = 24;
      bool whole = i + segments < size / sizeof(uint64_t);
      if (whole && (stack[i + segments] & 0xffff) != at.cs) continue;
      safe = whole && stack[i + stack_pointer] > at.rsp && stack[i + stack_pointer] < end && is_harmless_to_interrupt(stack[i + instruction]);
      lock = true;
    }
    if (safe && lock && is_locking(word) && follows_call(word)) safe = false;
  }
  free(stack);
  return safe;
}

Thread* SafePoint::find(double deadline, int* refusal) {
  const double begun = now(), patience = deadline - begun;
  static pid_t tids[max_threads];
  for (double at = begun; at < deadline; at = now()) {
    // For a while only threads that wait.
    bool waiting_only = at - begun < patience / 20;
    int count = list_threads(target_->pid(), tids);
    if (count == 0) {
      *refusal = ESRCH;
      return nullptr;
    }
    for (int order = 0; order <= (waiting_only ? 2 : 3); ++order) {
      for (int i = 0; i < count; ++i) {
        if (order_of(waiting_call(target_->pid(), tids[i])) != order) continue;
        auto* thread = new Thread(target_, tids[i]);
        int error = thread->stop();
        if (error == 0 && is_safe(*thread, waiting_only)) return thread;
        delete thread;
        if (error != 0 && error != ESRCH) {
          *refusal = error;
          return nullptr;
        }
      }
    }
    struct timespec pause = {0, 5'000'000};
    nanosleep(&pause, nullptr);
  }
  *refusal = EAGAIN;
  return nullptr;
}

}  // namespace cairn::attach
