// Detached threads go on after the checkpoint and free their stacks when they end.
// sabotage: poke @expected
// attached: not as many threads as before: Cairn's own is there
#include "../probe.h"

static volatile int stop, started, ended;
static int expected = 6;

static void *body(void *argument) {
  char on_stack[4096];
  memset(on_stack, (int)(intptr_t)argument, sizeof on_stack);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!stop) probe_sleep_ms(3);
  CHECK(on_stack[4000] == (char)(intptr_t)argument, "stack of a detached thread");
  __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
  return argument;
}

static int thread_count(void) {
  char text[4096] = "";
  int fd = open("/proc/self/status", O_RDONLY);
  if (read(fd, text, sizeof text - 1) < 0) return -1;
  close(fd);
  char *line = strstr(text, "Threads:");
  return line ? atoi(line + 8) : -1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  int alone = thread_count();
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  for (intptr_t i = 1; i <= 6; i++) CHECK(pthread_create(&thread, &attributes, body, (void *)i) == 0, "pthread_create");
  WAIT_UNTIL(started == 6, "not all threads started");
  CHECK(thread_count() == alone + 6, "%d threads before", thread_count());
  probe_hold();
  CHECK(thread_count() == alone + 6, "%d threads after, expected %d", thread_count(), alone + 6);
  stop = 1;
  WAIT_UNTIL(ended == expected, "%d detached threads ended", ended);
  WAIT_UNTIL(thread_count() == alone, "%d threads are left", thread_count());
  return probe_ok();
}
