// A SIGCHLD that is blocked and pending names the child by the id that the program knows, also of a child that was forked and has ended after a
// restart.
// sabotage: poke @wanted
#include "../probe.h"
#include <sys/wait.h>

static volatile int ended;
static sigset_t wanted;

static void *parent(void *unused) {
  (void)unused;
  while (!ended) {
    pid_t child = fork();
    if (child == 0) _exit(5);
    CHECK(child > 0, "fork");
    // It is pending meanwhile, most of the time.
    probe_sleep_ms(30);
    siginfo_t info;
    CHECK(sigwaitinfo(&wanted, &info) == SIGCHLD, "sigwaitinfo");
    CHECK(info.si_pid == child && info.si_status == 5 && info.si_code == CLD_EXITED, "child %d, status %d, code %d, not %d", info.si_pid, info.si_status, info.si_code, child);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5, "waitpid gave %x", status);
  }
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  pthread_t thread;
  CHECK(pthread_sigmask(SIG_BLOCK, &wanted, NULL) == 0 && pthread_create(&thread, NULL, parent, NULL) == 0, "set-up");
  probe_note("wanted", (uint64_t)&wanted + 2);
  probe_hold();
  ended = 1;
  CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
  return probe_ok();
}
