// The first thread has ended by pthread_exit; the others go on, and the process ends with the last of them.
// sabotage: poke @cell
// missing: computations whose main thread has ended
#include "../probe.h"

static volatile int joined;
static pthread_t leader;
static pid_t pid, tid;
static uint64_t cell = 55;

static void *body(void *argument) {
  pthread_join(leader, NULL);
  joined = 1;
  probe_sleep_ms(20);
  probe_hold();
  CHECK(cell == 55, "a static value");
  CHECK(getpid() == pid && gettid() == tid, "ids changed");
  CHECK(kill(getpid(), 0) == 0, "kill(getpid(), 0)");
  probe_ok();
  exit(0);
  return argument;
}
static void *other(void *argument) {
  for (;;) probe_sleep_ms(10);
  return argument;
}
static void *start(void *argument) {
  tid = gettid();
  return body(argument);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  leader = pthread_self();
  pid = getpid();
  pthread_t thread;
  pthread_create(&thread, NULL, start, NULL);
  pthread_create(&thread, NULL, other, NULL);
  pthread_exit(NULL);
}
