// A thread waits in read(2) on a pipe of the same process that holds some bytes already.
// sabotage: call close @write
#include "../probe.h"

static int ends[2];
static volatile int done;
static void *body(void *argument) {
  char text[16] = "";
  CHECK(read(ends[0], text, 5) == 5 && memcmp(text, "first", 5) == 0, "first read");
  CHECK(read(ends[0], text, 6) == 6 && memcmp(text, "second", 6) == 0, "second read gave '%s'", text);
  done = 1;
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(pipe(ends) == 0, "pipe");
  probe_note("write", (uint64_t)ends[1]);
  CHECK(write(ends[1], "first", 5) == 5, "write");
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  probe_hold();
  CHECK(write(ends[1], "second", 6) == 6, "write");
  WAIT_UNTIL(done, "the read does not end");
  pthread_join(thread, NULL);
  return probe_ok();
}
