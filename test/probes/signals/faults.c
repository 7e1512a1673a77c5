// Synchronous signals after the checkpoint: SIGSEGV, SIGBUS, SIGFPE and SIGILL arrive with the right address and can be survived.
// sabotage: call munmap @page 4096
#include "../probe.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int got;
static void *volatile address;
static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  got = number;
  address = info->si_addr;
  siglongjmp(back, 1);
}
static int fault(void (*what)(void *), void *at) {
  got = 0;
  if (sigsetjmp(back, 1) == 0) what(at);
  return got;
}
static void store(void *at) { *(volatile char *)at = 1; }
static void load(void *at) { (void)*(volatile char *)at; }
static void divide(void *at) {
  volatile int zero = 0;
  *(int *)at = 7 / zero;
}
static void illegal(void *at) {
  (void)at;
  __asm__ volatile("ud2");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  for (int i = 0; i < 4; i++) sigaction(numbers[i], &action, NULL);
  char *page = (char *)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *none = (char *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  probe_note("page", (uint64_t)(uintptr_t)page);
  // Beyond the end of the file: SIGBUS.
  int fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(write(fd, "x", 1) == 1, "write");
  char *beyond = (char *)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  close(fd);
  CHECK(fault(load, beyond + 4096) == SIGBUS, "SIGBUS before");
  probe_hold();
  int dummy;
  CHECK(fault(load, page) == 0, "a readable page is not readable");
  CHECK(fault(store, page + 5) == SIGSEGV && address == page + 5, "store to a read-only page: signal %d at %p", got, address);
  CHECK(fault(load, none + 7) == SIGSEGV && address == none + 7, "load from a page without access: signal %d", got);
  CHECK(fault(load, (void *)16) == SIGSEGV && address == (void *)16, "load through a null pointer: signal %d", got);
  CHECK(fault(load, beyond) == 0 && fault(load, beyond + 4096) == SIGBUS, "load beyond the end of a file: signal %d", got);
  CHECK(fault(divide, &dummy) == SIGFPE, "division by zero: signal %d", got);
  CHECK(fault(illegal, NULL) == SIGILL, "illegal instruction: signal %d", got);
  return probe_ok();
}
