// Leases on files (F_SETLEASE) for reading: who opens such a file for writing has to wait, and the holder gets the signal that it has chosen.
// (Those for writing are refused: refusals.test.ts.)
// sabotage: call close @lease
// bits: 64, 32
// alone: all runs have their lease on one file, and each asks the others to give it up
#include "../probe.h"

static volatile int got, told;

static void handler(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  told = info->si_fd;
  got++;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGRTMIN + 1, &action, NULL);
  int made = open("leased", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(made >= 0 && write(made, "text", 4) == 4 && close(made) == 0, "a file");
  int fd = open("leased", O_RDONLY);
  CHECK(fd >= 0 && fcntl(fd, F_SETSIG, SIGRTMIN + 1) == 0, "F_SETSIG");
  if (fcntl(fd, F_SETLEASE, F_RDLCK) == -1) SKIP("no leases in this file system");
  probe_note("lease", (uint64_t)fd);
  probe_hold();
  CHECK(fcntl(fd, F_GETLEASE) == F_RDLCK, "the lease is %d", fcntl(fd, F_GETLEASE));
  CHECK(open("leased", O_RDONLY | O_NONBLOCK) >= 0 && got == 0, "opening it for reading");
  // The file itself: by its name a restarted program writes to a copy in its run folder.
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  CHECK(open(link, O_WRONLY | O_NONBLOCK) == -1 && errno == EWOULDBLOCK, "opening it for writing: %s", strerror(errno));
  WAIT_UNTIL(got >= 1, "no signal");
  CHECK(told == fd, "of the descriptor %d", told);
  CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0 && open(link, O_WRONLY | O_NONBLOCK) >= 0, "what nobody has a lease on");
  return probe_ok();
}
