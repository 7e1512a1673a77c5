// A process that traces others by ptrace(2), each in another state over the checkpoint: stopped by a signal (waited for or not), before
// and after a system call, running, blocked in a call of which the entry was seen, interrupted, and with a watchpoint of the processor.
// attached: not attached while it is traced
// sabotage: poke @cell
// attached: not possible: what another process traces, Cairn cannot get into
#include "../probe.h"
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { SIGNAL, UNTOLD, ENTRY, EXIT, RUNNING, INTERRUPTED, WITHIN, WATCHED, KINDS };
static const char *const names[] = {"signal", "signal not waited for", "call entry", "call exit", "running", "interrupted", "within a call", "watchpoint"};
static pid_t children[KINDS];
static volatile int flag, handled, watched;
static volatile int *begun;  // shared with the children
static uint64_t cell = 3;

static void on_signal(int number) { handled = number; }

static void child(int kind) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  begun[kind] = 1;
  switch (kind) {
    case SIGNAL:
    case UNTOLD:
      raise(SIGSTOP);
      raise(SIGUSR1);
      _exit(handled == SIGUSR1 ? 10 + kind : 99);
    case ENTRY:
    case EXIT:
      raise(SIGSTOP);
      _exit(syscall(SYS_getpriority, 0, 0) == 20 - 3 ? 10 + kind : 98);
    case RUNNING:
    case INTERRUPTED:
      while (!flag) {
      }
      _exit(10 + kind);
    case WITHIN: {
      while (!flag) {
      }
      int result = pause();
      _exit(result == -1 && errno == EINTR && handled == SIGUSR1 ? 10 + kind : 97);
    }
    default:
      raise(SIGSTOP);
      watched = 5;
      _exit(10 + kind);
  }
}
static int status_of(pid_t pid) {
  int status = 0;
  CHECK(waitpid(pid, &status, __WALL) == pid, "waitpid");
  return status;
}
static void expect_stop(int kind, int wanted) {
  int status = status_of(children[kind]);
  CHECK(WIFSTOPPED(status) && status >> 8 == wanted, "%s: status %x, not %x", names[kind], status >> 8, wanted);
}
static void expect_end(int kind) {
  int status = status_of(children[kind]);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 10 + kind, "%s: ended with %x", names[kind], status);
}
static void go_on(int kind, int request, long signal) {
  CHECK(ptrace((enum __ptrace_request)request, children[kind], 0, signal) == 0, "%s: ptrace %d", names[kind], request);
}
static void set_flag(int kind) {
  CHECK(ptrace(PTRACE_POKEDATA, children[kind], &flag, 1) == 0, "%s: PTRACE_POKEDATA", names[kind]);
}
static struct user_regs_struct registers(int kind) {
  struct user_regs_struct found;
  CHECK(ptrace(PTRACE_GETREGS, children[kind], 0, &found) == 0, "%s: PTRACE_GETREGS", names[kind]);
  return found;
}
static void expect_quiet(int kind) {
  int status;
  pid_t told = waitpid(children[kind], &status, WNOHANG | __WALL);
  if (told == 0) return;
  struct user_regs_struct now = registers(kind);
  CHECK(0, "%s: a stop %x that was not there, call %lld gives %lld", names[kind], status, now.orig_rax, now.rax);
}
enum { SYSCALL_STOP = SIGTRAP | 0x80, OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL };

static void watch(int kind) {
  CHECK(ptrace(PTRACE_POKEUSER, children[kind], offsetof(struct user, u_debugreg[0]), &watched) == 0, "watchpoint");
  CHECK(ptrace(PTRACE_POKEUSER, children[kind], offsetof(struct user, u_debugreg[7]), 0xd0001) == 0, "watchpoint");
}
// Not every virtual processor tells of its watchpoints.
static int watches;
static void find_watchpoints(void) {
  children[WATCHED] = fork();
  if (children[WATCHED] == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    watched = 5;
    _exit(0);
  }
  CHECK(children[WATCHED] > 0, "fork");
  expect_stop(WATCHED, SIGSTOP);
  watch(WATCHED);
  go_on(WATCHED, PTRACE_CONT, 0);
  int status = status_of(children[WATCHED]);
  watches = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
  if (!WIFSTOPPED(status)) return;
  CHECK(kill(children[WATCHED], SIGKILL) == 0, "kill");
  status_of(children[WATCHED]);
}

static void set_up(int kind) {
  children[kind] = fork();
  if (children[kind] == 0) {
    setpriority(PRIO_PROCESS, 0, 3);
    if (kind != INTERRUPTED && kind != WITHIN) ptrace(PTRACE_TRACEME, 0, 0, 0);
    if (kind == RUNNING) raise(SIGSTOP);
    child(kind);
  }
  CHECK(children[kind] > 0, "fork");
  if (kind == INTERRUPTED || kind == WITHIN) WAIT_UNTIL(begun[kind], "the child does not begin");
  if (kind == INTERRUPTED || kind == WITHIN) {
    CHECK(ptrace(PTRACE_SEIZE, children[kind], 0, OPTIONS) == 0, "PTRACE_SEIZE");
    go_on(kind, PTRACE_INTERRUPT, 0);
    expect_stop(kind, SIGTRAP | PTRACE_EVENT_STOP << 8);
  } else {
    expect_stop(kind, SIGSTOP);
    CHECK(ptrace(PTRACE_SETOPTIONS, children[kind], 0, OPTIONS) == 0, "PTRACE_SETOPTIONS");
  }
  switch (kind) {
    case SIGNAL:
      go_on(kind, PTRACE_CONT, 0);
      expect_stop(kind, SIGUSR1);
      break;
    case UNTOLD: {
      go_on(kind, PTRACE_CONT, 0);
      siginfo_t info;
      CHECK(waitid(P_PID, (id_t)children[kind], &info, WSTOPPED | WNOWAIT) == 0, "waitid");
      break;
    }
    case ENTRY:
    case EXIT:
      do {
        go_on(kind, PTRACE_SYSCALL, 0);
        expect_stop(kind, SYSCALL_STOP);
      } while (registers(kind).orig_rax != SYS_getpriority);
      if (kind == EXIT) {
        go_on(kind, PTRACE_SYSCALL, 0);
        expect_stop(kind, SYSCALL_STOP);
      }
      break;
    case RUNNING: go_on(kind, PTRACE_CONT, 0); break;
    case WITHIN:
      set_flag(kind);
      do {
        go_on(kind, PTRACE_SYSCALL, 0);
        expect_stop(kind, SYSCALL_STOP);
      } while (registers(kind).orig_rax != SYS_pause);
      go_on(kind, PTRACE_SYSCALL, 0);
      break;
    case WATCHED:
      if (watches) watch(kind);
      break;
    default: break;
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  find_watchpoints();
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  begun = (volatile int *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int kind = 0; kind < KINDS; kind++) set_up(kind);
  struct user_regs_struct before[KINDS];
  for (int kind = 0; kind < KINDS; kind++)
    if (kind != RUNNING && kind != WITHIN) before[kind] = registers(kind);
  probe_sleep_ms(20);
  probe_hold();
  CHECK(cell == 3, "a static value");
  siginfo_t info;
  for (int kind = 0; kind < KINDS; kind++) {
    if (kind != UNTOLD) expect_quiet(kind);
    if (kind == RUNNING || kind == WITHIN) continue;
    struct user_regs_struct now = registers(kind);
    CHECK(now.rip == before[kind].rip && now.rsp == before[kind].rsp && now.rax == before[kind].rax && now.orig_rax == before[kind].orig_rax,
          "%s: rip %llx, rax %lld, call %lld; were %llx, %lld, %lld", names[kind], now.rip, now.rax, now.orig_rax, before[kind].rip, before[kind].rax, before[kind].orig_rax);
  }
  CHECK(ptrace(PTRACE_GETSIGINFO, children[SIGNAL], 0, &info) == 0 && info.si_signo == SIGUSR1 && info.si_pid == children[SIGNAL], "PTRACE_GETSIGINFO: %d of %d", info.si_signo, info.si_pid);
  go_on(SIGNAL, PTRACE_CONT, SIGUSR1);
  expect_end(SIGNAL);
  expect_stop(UNTOLD, SIGUSR1);
  go_on(UNTOLD, PTRACE_CONT, SIGUSR1);
  expect_end(UNTOLD);
  go_on(ENTRY, PTRACE_SYSCALL, 0);
  expect_stop(ENTRY, SYSCALL_STOP);
  CHECK(registers(ENTRY).rax == 17, "the call gave %lld", registers(ENTRY).rax);
  for (int kind = ENTRY; kind <= EXIT; kind++) {
    go_on(kind, PTRACE_SYSCALL, 0);
    expect_stop(kind, SYSCALL_STOP);
    CHECK(registers(kind).orig_rax == SYS_exit_group, "the next call is %lld", registers(kind).orig_rax);
    go_on(kind, PTRACE_CONT, 0);
    expect_end(kind);
  }
  CHECK(syscall(SYS_tgkill, children[RUNNING], children[RUNNING], SIGSTOP) == 0, "tgkill");
  expect_stop(RUNNING, SIGSTOP);
  set_flag(RUNNING);
  uint64_t rip = registers(RUNNING).rip;
  go_on(RUNNING, PTRACE_SINGLESTEP, 0);
  expect_stop(RUNNING, SIGTRAP);
  CHECK(registers(RUNNING).rip != rip, "a single step goes nowhere");
  go_on(RUNNING, PTRACE_CONT, 0);
  expect_end(RUNNING);
  CHECK(ptrace(PTRACE_GETSIGINFO, children[INTERRUPTED], 0, &info) == 0 && info.si_code >> 8 == PTRACE_EVENT_STOP, "interrupted: code %x", info.si_code);
  go_on(INTERRUPTED, PTRACE_CONT, 0);
  go_on(INTERRUPTED, PTRACE_INTERRUPT, 0);
  expect_stop(INTERRUPTED, SIGTRAP | PTRACE_EVENT_STOP << 8);
  set_flag(INTERRUPTED);
  go_on(INTERRUPTED, PTRACE_CONT, 0);
  expect_end(INTERRUPTED);
  kill(children[WITHIN], SIGUSR1);
  expect_stop(WITHIN, SYSCALL_STOP);
  CHECK(registers(WITHIN).orig_rax == SYS_pause, "the call within is %lld", registers(WITHIN).orig_rax);
  go_on(WITHIN, PTRACE_CONT, 0);
  expect_stop(WITHIN, SIGUSR1);
  go_on(WITHIN, PTRACE_CONT, SIGUSR1);
  expect_end(WITHIN);
  if (watches) {
    go_on(WATCHED, PTRACE_CONT, 0);
    expect_stop(WATCHED, SIGTRAP);
    long status = ptrace(PTRACE_PEEKUSER, children[WATCHED], offsetof(struct user, u_debugreg[6]), 0);
    CHECK((status & 1) == 1, "the watchpoint: DR6 is %lx", status);
  }
  go_on(WATCHED, PTRACE_CONT, 0);
  expect_end(WATCHED);
  return probe_ok();
}
