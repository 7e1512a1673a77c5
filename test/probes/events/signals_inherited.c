// A signalfd in an epoll instance, both inherited by children: it is this process's signals that the instance tells of.
// sabotage: call close @signals
#include "../probe.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { CHILDREN = 6 };

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  CHECK(sigprocmask(SIG_BLOCK, &mask, NULL) == 0, "sigprocmask");
  int signals = signalfd(-1, &mask, SFD_NONBLOCK), instance = epoll_create1(0), ends[2];
  struct epoll_event event = {EPOLLIN, {.u64 = 7}};
  CHECK(epoll_ctl(instance, EPOLL_CTL_ADD, signals, &event) == 0 && pipe(ends) == 0, "set-up");
  pid_t children[CHILDREN];
  for (int i = 0; i < CHILDREN; i++) {
    children[i] = fork();
    if (children[i] != 0) continue;
    probe_end_with_parent();
    char byte;
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  probe_note("signals", (uint64_t)signals);
  probe_hold();
  // A wait that has begun is to be woken.
  pid_t self = getpid(), sender = fork();
  if (sender == 0) {
    probe_sleep_ms(50);
    _exit(kill(self, SIGUSR2) == 0 ? 0 : 1);
  }
  event.data.u64 = 0;
  CHECK(epoll_wait(instance, &event, 1, 10000) == 1 && event.data.u64 == 7, "the signal is not told of");
  struct signalfd_siginfo info;
  CHECK(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR2 && (pid_t)info.ssi_pid == sender, "from %d, not %d", (int)info.ssi_pid, sender);
  CHECK(close(ends[1]) == 0, "close");
  int status = 0;
  CHECK(waitpid(sender, &status, 0) == sender && status == 0, "the sender gave %x", status);
  for (int i = 0; i < CHILDREN; i++) CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0, "a child gave %x", status);
  return probe_ok();
}
