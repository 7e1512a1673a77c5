// A session on a pseudo-terminal of the computation's own, as a terminal emulator starts it: its leader, a job in front and one behind
// it, /dev/tty, the groups, ^C for the job in front alone, SIGTTIN for the one behind, SIGWINCH, and the hang-up at the end.
// sabotage: poke @front
#include "../probe.h"
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

struct shared {
  volatile pid_t leader, front, behind;
  volatile pid_t seen_front, seen_session;
  volatile int own, interrupted[3], resized[3], hung_up[3], go, read_stopped, ready;
};
static struct shared *shared;
static int place;
static void on_signal(int number) {
  if (number == SIGINT) shared->interrupted[place]++;
  if (number == SIGWINCH) shared->resized[place]++;
  if (number == SIGHUP) shared->hung_up[place]++;
}

static void catch_all(int here) {
  place = here;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGWINCH, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

static void job(int here, pid_t root) {
  catch_all(here);
  setpgid(0, 0);
  __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
  int own = -1;
  for (int stage = 0;;) {
    if (kill(root, 0) == -1) _exit(50);
    if (here == 1 && shared->go == 1 && stage == 0) {
      stage = 1;
      own = open("/dev/tty", O_RDWR);
      shared->own = own >= 0 ? (tcgetpgrp(own) == getpgrp() && tcgetsid(own) == shared->leader ? 1 : 2) : 3;
    }
    if (here == 2 && shared->go == 2 && stage == 0) {
      stage = 1;
      char byte;
      if (read(0, &byte, 1) == 1) shared->read_stopped = 1;
    }
    probe_sleep_ms(3);
  }
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t root = getpid();
  int master;
  struct winsize size = {24, 80, 0, 0};
  pid_t leader = forkpty(&master, NULL, NULL, &size);
  CHECK(leader >= 0, "forkpty");
  if (leader == 0) {
    catch_all(0);
    signal(SIGTTOU, SIG_IGN);
    shared->leader = getpid();
    pid_t front = fork();
    if (front == 0) job(1, root);
    pid_t behind = fork();
    if (behind == 0) job(2, root);
    setpgid(front, front);
    setpgid(behind, behind);
    tcsetpgrp(0, front);
    shared->front = front;
    shared->behind = behind;
    while (kill(root, 0) == 0) {
      shared->seen_front = tcgetpgrp(0);
      shared->seen_session = tcgetsid(0);
      int status;
      if (waitpid(behind, &status, WUNTRACED | WNOHANG) == behind && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN) {
        shared->read_stopped = 2;
        tcsetpgrp(0, behind);
        kill(-behind, SIGCONT);
      }
      probe_sleep_ms(3);
    }
    _exit(0);
  }
  WAIT_UNTIL(shared->front && shared->behind && shared->ready == 2 && shared->seen_front == shared->front, "the session has not begun");
  static pid_t front;
  front = shared->front;
  probe_note("front", (uint64_t)(uintptr_t)&front);
  probe_hold();
  shared->seen_front = shared->seen_session = 0;
  WAIT_UNTIL(shared->seen_front == front, "the group in front is %d, was %d", shared->seen_front, front);
  CHECK(shared->seen_session == leader && tcgetsid(master) == leader, "the session is %d, was %d", shared->seen_session, leader);
  CHECK(tcgetpgrp(master) == front, "asked from the master's end");
  CHECK(shared->resized[0] + shared->resized[1] + shared->resized[2] == 0, "a change of size that was none");
  shared->go = 1;
  WAIT_UNTIL(shared->own != 0, "the job in front does not run");
  CHECK(shared->own == 1, "/dev/tty is wrong in the job in front: %d", shared->own);
  CHECK(write(master, "\003", 1) == 1, "write");
  WAIT_UNTIL(shared->interrupted[1] == 1, "^C does not come");
  CHECK(shared->interrupted[0] == 0 && shared->interrupted[2] == 0, "^C reaches others");
  size.ws_col = 90;
  CHECK(ioctl(master, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
  WAIT_UNTIL(shared->resized[1] == 1, "SIGWINCH does not come");
  CHECK(shared->resized[0] == 0 && shared->resized[2] == 0, "SIGWINCH reaches others");
  shared->go = 2;
  WAIT_UNTIL(shared->read_stopped == 2, "a read from behind does not stop");
  CHECK(write(master, "z\r", 2) == 2, "write");
  WAIT_UNTIL(shared->read_stopped == 1, "the job does not read when it is in front");
  close(master);
  WAIT_UNTIL(shared->hung_up[0] == 1, "the leader is not told of the hang-up");
  kill(shared->front, SIGKILL);
  kill(shared->behind, SIGKILL);
  kill(leader, SIGKILL);
  CHECK(waitpid(leader, NULL, 0) == leader, "waitpid");
  return probe_ok();
}
