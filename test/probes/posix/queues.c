// POSIX message queues: messages with priorities in order, attributes, names, one whose name is gone, notifications of two processes with
// their values, a receiver that waits; and nothing of it is told to anybody by the checkpoint.
// sabotage: call close @queue
// alone: it has names that are no paths
// attached: its notification was asked for by a system call of the program
#include "../probe.h"
#include <mqueue.h>
#include <sys/wait.h>

static volatile int told;
static void handler(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  told = info->si_value.sival_int;
}

// Not by libc: what killed runs have left, under names that may stand for others now.
static void unlink_there(const char *name) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_mq_unlink), "D"(name + 1) : "rcx", "r11", "memory");
}

static mqd_t make(const char *name, int flags) {
  struct mq_attr attributes = {.mq_maxmsg = 6, .mq_msgsize = 32};
  mqd_t queue = mq_open(name, O_CREAT | flags, 0600, &attributes);
  if (queue == -1 && errno == EMFILE) SKIP("no room for message queues (ulimit -q)");
  CHECK(queue != -1, "mq_open %s", name);
  return queue;
}

static void expect(mqd_t queue, const char *text, unsigned wanted) {
  char got[33] = "";
  unsigned priority = 0;
  struct timespec soon;
  clock_gettime(CLOCK_REALTIME, &soon);
  soon.tv_sec += 5;
  CHECK(mq_timedreceive(queue, got, 32, &priority, &soon) == (ssize_t)strlen(text) && strcmp(got, text) == 0 && priority == wanted, "%s with %u instead of %s with %u", got, priority, text, wanted);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  // The same in all runs: so the next removes what a killed one has left.
  const char *name = "/cairn-probe-queue", *gone = "/cairn-probe-gone", *empty = "/cairn-probe-empty";
  unlink_there(name);
  unlink_there(empty);
  mqd_t queue = make(name, O_RDWR), writer = mq_open(name, O_WRONLY | O_NONBLOCK), nameless = make(gone, O_RDWR | O_NONBLOCK), silent = make(empty, O_RDWR);
  CHECK(writer != -1 && mq_unlink(gone) == 0, "mq_open");
  probe_note("queue", (uint64_t)queue);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  CHECK(mq_send(nameless, "first", 5, 0) == 0, "mq_send");
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
  CHECK(mq_notify(nameless, &event) == 0, "mq_notify");
  int go[2], ready[2];
  CHECK(pipe(go) == 0 && pipe(ready) == 0, "pipe");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    struct sigevent other = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 88};
    char byte;
    if (mq_notify(silent, &other) || write(ready[1], "r", 1) != 1) _exit(1);
    while (read(go[0], &byte, 1) != 1) {
    }
    for (int waited = 0; told != 88 && waited < 5000; waited++) probe_sleep_ms(1);
    _exit(told == 88 ? 3 : 2);
  }
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1, "the child");
  CHECK(mq_send(queue, "low", 3, 1) == 0 && mq_send(queue, "high", 4, 9) == 0 && mq_send(queue, "low again", 9, 1) == 0 && mq_send(queue, "", 0, 9) == 0 && mq_send(queue, "none", 4, 0) == 0, "mq_send");
  probe_hold();
  struct mq_attr attributes;
  CHECK(told == 0, "the checkpoint was told to this process");
  CHECK(mq_getattr(queue, &attributes) == 0 && attributes.mq_maxmsg == 6 && attributes.mq_msgsize == 32 && attributes.mq_curmsgs == 5 && attributes.mq_flags == 0, "attributes");
  CHECK(mq_getattr(writer, &attributes) == 0 && attributes.mq_flags == O_NONBLOCK, "flags");
  CHECK(mq_send(writer, "sixth", 5, 4) == 0 && mq_send(writer, "seventh", 7, 0) == -1 && errno == EAGAIN, "mq_send");
  mqd_t again = mq_open(name, O_RDONLY);
  CHECK(again != -1, "not found by its name");
  expect(again, "high", 9);
  expect(queue, "", 9);
  expect(queue, "sixth", 4);
  expect(queue, "low", 1);
  expect(again, "low again", 1);
  expect(queue, "none", 0);
  CHECK(mq_open(gone, O_RDONLY) == -1 && errno == ENOENT, "a name that was gone is there");
  expect(nameless, "first", 0);
  CHECK(told == 0, "told too early");
  CHECK(mq_send(nameless, "second", 6, 2) == 0, "mq_send");
  WAIT_UNTIL(told == 77, "this process is not told");
  expect(nameless, "second", 2);
  int status = 0;
  CHECK(mq_send(silent, "x", 1, 0) == 0 && write(go[1], "g", 1) == 1, "mq_send");
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3, "the child gave %x", (unsigned)status);
  CHECK(mq_unlink(name) == 0 && mq_unlink(empty) == 0 && mq_open(name, O_RDONLY) == -1, "mq_unlink");
  unlink_there(name);
  unlink_there(empty);
  return probe_ok();
}
