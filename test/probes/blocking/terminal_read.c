// Threads wait in read(2), poll and select on the terminal: no EINTR, no lost or invented input.
// needs: pty
// type: hello
// sabotage: signal-thread 1 34
#include "../probe.h"
#include <poll.h>
#include <sys/select.h>

static volatile int polled, selected, done;
static char line[64];
static void on_signal(int number) { (void)number; }

static void *reads(void *argument) {
  ssize_t got = read(0, line, sizeof line - 1);
  CHECK(got > 0, "read of the terminal gave %zd", got);
  done = 1;
  return argument;
}
static void *polls(void *argument) {
  struct pollfd entry = {.fd = 0, .events = POLLPRI};
  CHECK(poll(&entry, 1, 300) == 0, "poll of the terminal");
  while (!done) {
    CHECK(poll(&entry, 1, 200) == 0, "poll of the terminal");
    polled++;
  }
  return argument;
}
static void *selects(void *argument) {
  while (!done) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(0, &set);
    struct timeval nap = {0, 200000};
    CHECK(select(1, NULL, NULL, &set, &nap) == 0, "select of the terminal");
    selected++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGRTMIN, &action, NULL);
  pthread_t threads[3];
  pthread_create(&threads[0], NULL, reads, NULL);
  pthread_create(&threads[1], NULL, polls, NULL);
  pthread_create(&threads[2], NULL, selects, NULL);
  probe_sleep_ms(30);
  probe_hold();
  WAIT_UNTIL(done, "the line that was typed did not arrive");
  CHECK(strcmp(line, "hello\n") == 0, "the line is '%s'", line);
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  return probe_ok();
}
