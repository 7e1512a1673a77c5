// Handlers with SA_SIGINFO, made before and after a checkpoint: they see virtual ids of senders, and the program sees its own
// handlers, however it asks: sigaction, signal, sigset, the system call. SIGCHLD, waitid and sigtimedwait name the child alike.
// sabotage: poke @pid
// bits: 64, 32
// flags: -Wno-deprecated-declarations
#include "../probe.h"
#include <sys/wait.h>
#include <ucontext.h>

static pid_t pid;
#ifdef __x86_64__
#define INSTRUCTION REG_RIP
#else
#define INSTRUCTION REG_EIP
#endif

static volatile pid_t sender;
static volatile int count, code, other_count;
static volatile long seen_return;
static void on_info(int number, siginfo_t *info, void *context) {
  (void)number;
  sender = info->si_pid;
  code = info->si_code;
  seen_return = (long)__builtin_return_address(0);
  CHECK(((ucontext_t *)context)->uc_mcontext.gregs[INSTRUCTION] != 0, "no context");
  count++;
}
static void on_other(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  sender = info->si_pid;
  other_count++;
}
static void on_plain(int number) { (void)number; }

// As the kernel takes it.
struct kernel_action {
  void *handler;
  unsigned long flags;
  void *restorer;
  uint64_t mask;
};

static struct sigaction with_info(void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
  return action;
}
static void expect(int number, void (*handler)(int, siginfo_t *, void *), const char *when) {
  struct sigaction now;
  struct kernel_action raw;
  CHECK(sigaction(number, NULL, &now) == 0 && now.sa_sigaction == handler, "sigaction shows another handler %s", when);
  CHECK(syscall(SYS_rt_sigaction, number, NULL, &raw, 8) == 0, "rt_sigaction");
  CHECK(raw.handler == (void *)(uintptr_t)handler, "rt_sigaction shows another handler %s", when);
}
static void take(int number, int wanted, volatile int *counter, const char *when) {
  CHECK(kill(pid, number) == 0, "kill %s", when);
  WAIT_UNTIL(*counter == wanted, "the signal did not come %s", when);
  CHECK(sender == pid, "the sender is %d instead of %d %s", sender, pid, when);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid = getpid();
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  struct sigaction action = with_info(on_info, 0), old;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGCHLD, &action, NULL);
  kill(pid, SIGUSR1);
  WAIT_UNTIL(count == 1, "the signal did not come before the checkpoint");
  long return_before = seen_return;
  count = 0;
  probe_hold();
  CHECK(pid == getpid(), "getpid gives %d instead of %d", getpid(), pid);
  take(SIGUSR1, 1, &count, "to a handler of before");
  CHECK(seen_return == return_before, "the handler returns to another place");
  expect(SIGUSR1, on_info, "after the restart");

  action = with_info(on_other, 0);
  CHECK(sigaction(SIGUSR1, &action, &old) == 0 && old.sa_sigaction == on_info, "the handler that was replaced");
  take(SIGUSR1, 1, &other_count, "to a handler of after");
  expect(SIGUSR1, on_other, "after it was replaced");
  struct kernel_action raw, before;
  CHECK(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &raw, 8) == 0, "rt_sigaction");
  raw.handler = (void *)(uintptr_t)on_info;
  CHECK(syscall(SYS_rt_sigaction, SIGUSR1, &raw, &before, 8) == 0, "rt_sigaction");
  CHECK(before.handler == (void *)(uintptr_t)on_other, "rt_sigaction shows another handler than was replaced");
  take(SIGUSR1, 2, &count, "to a handler set by the system call");
  CHECK(siginterrupt(SIGUSR1, 0) == 0, "siginterrupt");
  expect(SIGUSR1, on_info, "after siginterrupt");
  take(SIGUSR1, 3, &count, "after siginterrupt");
  CHECK(system("exit 3") == 3 << 8, "system");
  count = 3;
  CHECK(signal(SIGUSR1, on_plain) == (void (*)(int))(uintptr_t)on_info, "what signal() replaced");
  action = with_info(on_info, (int)SA_RESETHAND);
  CHECK(sigaction(SIGUSR1, &action, &old) == 0 && old.sa_handler == on_plain, "what replaced it");
  take(SIGUSR1, 4, &count, "to a handler for one time");
  CHECK(sigaction(SIGUSR1, NULL, &old) == 0 && old.sa_handler == SIG_DFL, "the handler for one time stayed");
  action = with_info(on_info, 0);
  sigaction(SIGUSR1, &action, NULL);
  CHECK(sigset(SIGUSR1, SIG_IGN) == (void (*)(int))(uintptr_t)on_info, "what sigset() replaced");
  CHECK(sigaction(65, &action, NULL) == -1 && errno == EINVAL, "signal 65");
  CHECK(sigaction(SIGKILL, &action, NULL) == -1 && errno == EINVAL, "SIGKILL");

  int counted = count;
  pid_t child = fork();
  if (child == 0) _exit(7);
  WAIT_UNTIL(count == counted + 1, "SIGCHLD did not come");
  CHECK(sender == child && code == CLD_EXITED, "SIGCHLD is from %d, the child was %d", sender, child);
  siginfo_t info;
  CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == child, "waitid gives %d", info.si_pid);
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");

  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  memset(&info, 0, sizeof info);
  info.si_code = SI_QUEUE;
  info.si_pid = pid;
  info.si_value.sival_int = 5;
  CHECK(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR2, &info) == 0, "rt_sigqueueinfo");
  struct timespec second = {1, 0};
  CHECK(sigtimedwait(&set, &info, &second) == SIGUSR2 && info.si_pid == pid, "sigtimedwait gives %d", info.si_pid);
  CHECK(info.si_value.sival_int == 5, "the value is %d", info.si_value.sival_int);
  return probe_ok();
}
