// Owns: children that fork, clone and their kin make (posix_spawn: plugin exec). A number that stands for somebody else here becomes a made
// one (ids.h). Whatever gives a child a copy of memory makes it by the host, so that Cairn is in it. Not followed: what shares memory, as
// vfork does, descriptors or another parent, and what ends with another signal than SIGCHLD.
// vfork returns twice on one stack: a wrapper can only jump. On the first host it jumps to libc's, and wait.cc copes with a child that has such
// a number; on others, where every id has another name, to fork. [any] Test: test/hosts (names),
// test/probes/processes/cloned.
#include <linux/sched.h>
#include <signal.h>
#include <stdarg.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/text.h"
#include "pid/host.h"
#include "pid/ids.h"
#include "pid/threads.h"

namespace cairn::pid {

CAIRN_PID_NEXT(fork);
static Next<int(int (*)(void*), void*, int, void*, ...)> next_clone{"clone", nullptr};
static Next<pid_t()> next__Fork{"_Fork", nullptr};

#if defined(__x86_64__)
extern "C" {
/// Where a vfork jumps to: libc's, or fork; null: fork, for the constructors of other libraries.
[[gnu::visibility("hidden")]] void* cairn_vfork_target = nullptr;
}
#endif

void prepare_children() {
  next_fork.get();
  next_clone.get();
  next__Fork.get();
#if defined(__x86_64__)
  cairn_vfork_target = first_id_of_host == 0 ? host->next("vfork") : nullptr;
#endif
}

namespace {

constexpr uint64_t harmless = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;

bool is_followed(uint64_t flags, uint64_t signal) { return host != nullptr && signal == SIGCHLD && (flags & ~harmless) == 0; }

/// The child's id or -errno; 0 in the child.
template <typename Make>
int32_t make_child(Make make) {
  uint32_t before = generation();
  host->around_fork(CAIRN_FORK_BEFORE);
  auto child = static_cast<int32_t>(make());
  host->around_fork(child == 0 ? CAIRN_FORK_IN_CHILD : CAIRN_FORK_IN_PARENT);
  // As libc's fork does.
  if (int32_t* word = child == 0 && !active() ? tid_word(pthread_self()) : nullptr) *word = static_cast<int32_t>(raw(SYS_gettid));
  return child_name(child, before);
}

struct Start {
  int (*run)(void*);
  void* argument;
};
Start start;  // of a child, which has no other thread

[[noreturn]] void run_child() {
  // Not exit(2): Cairn's thread is in the process, too.
  raw(SYS_exit_group, start.run(start.argument));
  __builtin_unreachable();
}

/// Where clone's caller wants it: the end of the stack is all that is known, and all that is needed.
void run_on(char* end, const Start& given) {
  start = given;
  static ucontext_t context;
  constexpr size_t part = 1024;
  if (getcontext(&context) != 0) raw(SYS_exit_group, 127);
  context.uc_stack.ss_sp = end - part;
  context.uc_stack.ss_size = part;
  context.uc_link = nullptr;
  makecontext(&context, run_child, 0);
  setcontext(&context);
  raw(SYS_exit_group, 127);
}

}  // namespace

bool call_for_child(long number, const long* a, long* result) {
#ifdef SYS_fork
  if (number == SYS_fork && host != nullptr) {
    *result = make_child([] { return raw(SYS_fork); });
    return true;
  }
#endif
  if (number == SYS_clone) {
    auto flags = static_cast<uint64_t>(static_cast<unsigned long>(a[0]));
    if (a[1] != 0 || !is_followed(flags & ~uint64_t{0xff}, flags & 0xff)) return false;
  } else if (number == SYS_clone3) {
    auto* given = reinterpret_cast<const clone_args*>(a[0]);
    struct clone_args seen = {};
    if (a[1] < CLONE_ARGS_SIZE_VER0 || !peek(reinterpret_cast<uintptr_t>(given), &seen, CLONE_ARGS_SIZE_VER0)) return false;
    if (seen.stack != 0 || !is_followed(seen.flags, seen.exit_signal)) return false;
  } else {
    return false;
  }
  *result = make_child([=] { return raw(number, a[0], a[1], a[2], a[3], a[4], a[5]); });
  return true;
}

bool is_last_thread() {
  if (host == nullptr) return false;
  int others = 0;
  int32_t self = static_cast<int32_t>(raw(SYS_gettid));
  (void)plugin::for_each_entry(host, "/proc/self/task", [&](long, const plugin::KernelDirent& entry) {
    const char* text = entry.name;
    int64_t number = 0;
    if (plugin::read_number(&text, 10, &number) && number != self) ++others;
    return false;
  });
  return others == 1;  // Cairn's own
}

extern "C" {

CAIRN_EXPORT pid_t _Fork() noexcept {
  return host == nullptr ? next__Fork.get()() : make_child([] { return next__Fork.get()(); });
}

CAIRN_EXPORT int clone(int (*run)(void*), void* stack, int flags, void* argument, ...) noexcept {
  va_list list;
  va_start(list, argument);
  // As libc does: whoever does not ask for them gives none.
  auto* parent_tid = va_arg(list, pid_t*);
  auto* tls = va_arg(list, void*);
  auto* child_tid = va_arg(list, pid_t*);
  va_end(list);
  auto whole = static_cast<uint32_t>(flags);
  if (run == nullptr || stack == nullptr || !is_followed(whole & ~0xffu, whole & 0xff)) {
    return next_clone.get()(run, stack, flags, argument, parent_tid, tls, child_tid);
  }
  int32_t child = make_child([=] {
#if defined(__x86_64__)
    return raw(SYS_clone, flags, 0, pointer(parent_tid), pointer(child_tid), 0);
#else
    return raw(SYS_clone, flags, 0, pointer(parent_tid), 0, pointer(child_tid));
#endif
  });
  if (child == 0) run_on(static_cast<char*>(stack), {run, argument});
  return static_cast<int>(with_errno(child));
}

CAIRN_EXPORT pid_t fork() noexcept {
  uint32_t before = generation();
  return child_name(next_fork.get()(), before);
}

#if defined(__x86_64__)
CAIRN_EXPORT [[gnu::naked]] pid_t vfork() noexcept {
  asm("mov cairn_vfork_target(%rip), %rax\n\t"
      "test %rax, %rax\n\t"
      "jz 1f\n\t"
      "jmp *%rax\n"
      "1:\tjmp *fork@GOTPCREL(%rip)");
}
#endif

}  // extern "C"

}  // namespace cairn::pid
