// Process groups and sessions: a child that leads a group, one that joined it, one with a session of its own, and a group whose
// leader has ended. Signals to a group reach its members alone.
// sabotage: poke @group
#include "../probe.h"
#include <sys/wait.h>

static pid_t root;

struct shared {
  volatile int go, ready;
  volatile int signalled[5];
  volatile pid_t group[5], session[5];
};
static struct shared *shared;
static int place;
static void on_signal(int number) { (void)number, shared->signalled[place]++; }

static void work(int here) {
  place = here;
  signal(SIGUSR1, on_signal);
  __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
  while (!shared->go) {
    shared->group[here] = getpgrp();
    shared->session[here] = getsid(0);
    probe_sleep_ms(3);
    if (kill(root, 0) == -1) _exit(50);  // the probe has failed
  }
  _exit(0);
}

static pid_t start(int here, pid_t group, int session) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  if (session) setsid();
  else if (group >= 0) setpgid(0, group);
  work(here);
  return 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  root = getpid();
  shared = (struct shared *)mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t leader = start(1, 0, 0);
  setpgid(leader, leader);
  pid_t member = start(2, leader, 0);
  pid_t alone = start(3, -1, 1);
  // A leader that ends, and leaves a member.
  pid_t gone = fork();
  if (gone == 0) {
    setpgid(0, 0);
    while (!shared->go && shared->ready < 4) probe_sleep_ms(3);
    _exit(0);
  }
  setpgid(gone, gone);
  pid_t left = start(4, gone, 0);
  CHECK(waitpid(gone, NULL, 0) == gone, "waitpid");
  WAIT_UNTIL(shared->ready == 4 && shared->group[1] && shared->group[2] && shared->group[3] && shared->group[4], "not all have started");
  static pid_t own;
  own = getpgrp();
  probe_note("group", (uint64_t)(uintptr_t)&own);
  probe_hold();
  CHECK(getpgrp() == own, "the own group is %d, was %d", getpgrp(), own);
  for (int i = 1; i < 5; i++) shared->group[i] = shared->session[i] = 0;
  WAIT_UNTIL(shared->group[1] && shared->group[2] && shared->group[3] && shared->group[4], "a child does not run");
  CHECK(shared->group[1] == leader && shared->group[2] == leader, "groups are %d and %d instead of %d", shared->group[1], shared->group[2], leader);
  CHECK(shared->group[3] == alone && shared->session[3] == alone, "session %d, group %d of %d", shared->session[3], shared->group[3], alone);
  CHECK(shared->group[4] == gone, "the group without a leader is %d instead of %d", shared->group[4], gone);
  CHECK(shared->session[1] == getsid(0) && shared->session[4] == getsid(0), "sessions");
  CHECK(getpgid(member) == leader && getpgid(left) == gone && getsid(alone) == alone, "asked from outside");
  CHECK(killpg(leader, SIGUSR1) == 0, "killpg");
  WAIT_UNTIL(shared->signalled[1] == 1 && shared->signalled[2] == 1, "the group was not signalled");
  CHECK(kill(-gone, SIGUSR1) == 0, "kill of the group without a leader");
  WAIT_UNTIL(shared->signalled[4] == 1, "the group without a leader was not signalled");
  CHECK(shared->signalled[3] == 0, "another group was signalled");
  shared->go = 1;
  int ended = 0;
  while (wait(NULL) > 0) ended++;
  CHECK(ended == 4, "%d children of 4 have ended", ended);
  return probe_ok();
}
