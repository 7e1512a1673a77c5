// signalfd: its mask, a signal that was sent before the checkpoint, and one after it; a thread that waits in read.
// The sender is named by the id that the program knows, however it is read.
// sabotage: call close @second
#include "../probe.h"
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <sys/wait.h>

static int waited_for;
static volatile int got;
static void *body(void *argument) {
  struct signalfd_siginfo info;
  CHECK(read(waited_for, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR2, "read gave signal %u", info.ssi_signo);
  got = (int)info.ssi_signo;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  sigset_t first_mask, second_mask, all;
  sigemptyset(&first_mask), sigemptyset(&second_mask), sigemptyset(&all);
  sigaddset(&first_mask, SIGUSR1), sigaddset(&first_mask, SIGRTMIN + 3);
  sigaddset(&second_mask, SIGUSR2);
  sigaddset(&all, SIGUSR1), sigaddset(&all, SIGUSR2), sigaddset(&all, SIGRTMIN + 3);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  int first = signalfd(-1, &first_mask, SFD_NONBLOCK | SFD_CLOEXEC);
  waited_for = signalfd(-1, &second_mask, 0);
  CHECK(first >= 0 && waited_for >= 0, "signalfd");
  probe_note("second", (uint64_t)waited_for);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  union sigval value = {.sival_int = 77};
  CHECK(sigqueue(getpid(), SIGRTMIN + 3, value) == 0, "sigqueue");
  probe_hold();
  struct signalfd_siginfo info;
  CHECK(fcntl(waited_for, F_GETFD) == 0, "the second is closed");
  CHECK(read(first, &info, sizeof info) == sizeof info, "the signal of before");
  CHECK((int)info.ssi_signo == SIGRTMIN + 3 && info.ssi_int == 77, "it was signal %u with %d", info.ssi_signo, info.ssi_int);
  CHECK(kill(getpid(), SIGUSR1) == 0 && read(first, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1, "a new signal");
  CHECK((pid_t)info.ssi_pid == getpid(), "the sender is %u instead of %d", info.ssi_pid, getpid());
  pid_t child = fork();
  if (child == 0) {
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  struct iovec parts[2] = {{&info, 14}, {(char *)&info + 14, sizeof info - 14}};
  CHECK(readv(first, parts, 2) == sizeof info && info.ssi_signo == SIGUSR1, "readv of a child's signal");
  CHECK((pid_t)info.ssi_pid == child, "the sender is %u instead of the child %d", info.ssi_pid, child);
  CHECK(kill(getpid(), SIGUSR2) == 0, "kill");
  WAIT_UNTIL(got == SIGUSR2, "the read does not end");
  CHECK(read(first, &info, sizeof info) == -1 && errno == EAGAIN, "a signal that is not in the mask");
  pthread_join(thread, NULL);
  return probe_ok();
}
