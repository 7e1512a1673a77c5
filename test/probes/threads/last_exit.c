// A process ends with the last of its threads, also when that ends by exit(2) alone, called past libc. (Whose status
// its parent sees then, the first's or the last's, differs by the kernel.)
// sabotage: poke @expected
#include "../probe.h"
#include <sys/wait.h>

static uint64_t expected = 23;

static _Noreturn void end_thread(long status) {
#ifdef __x86_64__
  __asm__ volatile("syscall" : : "a"(SYS_exit), "D"(status) : "rcx", "r11", "memory");
#else
  __asm__ volatile("int $0x80" : : "a"(SYS_exit), "b"(status) : "memory");
#endif
  __builtin_unreachable();
}

static void *other(void *argument) {
  probe_sleep_ms(300);
  end_thread((long)expected);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  for (int round = 0; round < 2; round++) {
    pid_t child = fork();
    if (child == 0) {
      pthread_t thread;
      pthread_create(&thread, NULL, other, NULL);
      end_thread((long)expected);
    }
    if (round == 0) probe_hold();
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 23, "the child ended with status %x", (unsigned)status);
  }
  return probe_ok();
}
