// Owns: the id of a child that fork made (posix_spawn: plugin exec): a number that stands for somebody else here becomes a made one (ids.h).
// vfork returns twice on one stack: a wrapper can only jump. On the first host it jumps to libc's, and wait.cc copes with a child that has such
// a number; on others, where every id has another name, to fork. [any] Test: test/hosts (names).
#include <unistd.h>

#include "pid/host.h"
#include "pid/ids.h"

namespace cairn::pid {

CAIRN_PID_NEXT(fork);

#if defined(__x86_64__)
extern "C" {
/// Where a vfork jumps to: libc's, or fork; null: fork, for the constructors of other libraries.
[[gnu::visibility("hidden")]] void* cairn_vfork_target = nullptr;
}
#endif

void prepare_children() {
  next_fork.get();
#if defined(__x86_64__)
  cairn_vfork_target = first_id_of_host == 0 ? host->next("vfork") : nullptr;
#endif
}

extern "C" {

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
