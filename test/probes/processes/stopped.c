// Stopped children (job control) stay stopped: one whose stop the parent has waited for, which it is not told of again, and one whose
// stop it has not waited for yet. SIGCONT continues them, their handler for it runs, and what they did goes on.
// sabotage: poke @first
// attached: not possible: Cairn cannot get into a stopped process
#include "../probe.h"
#include <sys/prctl.h>
#include <sys/wait.h>

struct shared {
  volatile long counts[2];
  volatile int continued[2], go;
};
static struct shared *shared;
static volatile int told;
static int place;
static void on_child(int number) { (void)number, told++; }
static void on_continue(int number) { (void)number, shared->continued[place]++; }

static pid_t start(int here, pid_t root) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  place = here;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a stopped child would stay behind a parent that has failed
  signal(SIGCONT, on_continue);
  while (!shared->go) {
    shared->counts[here]++;
    probe_sleep_ms(1);
    if (kill(root, 0) == -1) _exit(50);
  }
  _exit(40 + here);
}

static char state_of(pid_t pid) {
  char path[64], line[512], *end;
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY);
  ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
  if (fd >= 0) close(fd);
  line[size > 0 ? size : 0] = 0;
  end = strrchr(line, ')');
  return end ? end[2] : 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  static pid_t first;
  first = start(0, getpid());
  pid_t second = start(1, getpid());
  WAIT_UNTIL(shared->counts[0] > 0 && shared->counts[1] > 0, "the children do not run");
  int status;
  CHECK(kill(first, SIGSTOP) == 0 && waitpid(first, &status, WUNTRACED) == first && WIFSTOPPED(status), "stop");
  CHECK(kill(second, SIGSTOP) == 0, "stop");
  // Of a process the parent is told when the last of its threads has stopped.
  siginfo_t stop;
  CHECK(waitid(P_PID, (id_t)second, &stop, WSTOPPED | WNOWAIT) == 0 && stop.si_pid == second, "the second does not stop");
  struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
  sigaction(SIGCHLD, &action, NULL);
  probe_note("first", (uint64_t)(uintptr_t)&first);
  long before[2] = {shared->counts[0], shared->counts[1]};
  probe_hold();
  CHECK(told == 0, "the parent was told of a child %d times", told);
  CHECK(state_of(first) == 'T' && state_of(second) == 'T', "a child is not stopped: %c, %c", state_of(first), state_of(second));
  probe_sleep_ms(30);
  CHECK(shared->counts[0] == before[0] && shared->counts[1] == before[1], "a stopped child ran on");
  CHECK(waitpid(first, &status, WUNTRACED | WNOHANG) == 0, "a stop is told again: %x", status);
  CHECK(waitpid(second, &status, WUNTRACED | WNOHANG) == second && WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the other stop is lost");
  CHECK(waitpid(second, &status, WUNTRACED | WNOHANG) == 0, "the other stop is told again");
  before[0] = shared->counts[0];
  before[1] = shared->counts[1];
  CHECK(kill(first, SIGCONT) == 0, "SIGCONT");
  CHECK(waitpid(first, &status, WCONTINUED) == first && WIFCONTINUED(status), "it does not continue: %x", status);
  WAIT_UNTIL(shared->counts[0] > before[0] + 3, "it does not go on");
  CHECK(shared->continued[0] == 1 && shared->continued[1] == 0, "its handler ran %d times", shared->continued[0]);
  CHECK(state_of(second) == 'T' && shared->counts[1] == before[1], "the other goes on, too");
  shared->go = 1;
  CHECK(kill(second, SIGCONT) == 0, "SIGCONT");
  CHECK(waitpid(first, &status, 0) == first && WEXITSTATUS(status) == 40, "the first ends with %x", status);
  CHECK(waitpid(second, &status, 0) == second && WEXITSTATUS(status) == 41, "the second ends with %x", status);
  return probe_ok();
}
