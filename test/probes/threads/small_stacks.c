// Threads with a stack of a few pages use files by name after the checkpoint: what a restart does with paths takes little of it.
// sabotage: poke @expected
// alone: it makes and removes the names that the run which goes on makes and removes, whose folder a restart looks into
#include "../probe.h"
#include <limits.h>

enum { rounds = 20 };
static volatile int begun, go, expected = rounds;

static void *uses_files(void *argument) {
  struct stat status;
  int done = 0;
  begun = 1;
  while (!go) probe_sleep_ms(2);
  for (int i = 0; i < rounds; i++) {
    int fd = open("small", O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "open");
    CHECK(mkdir("folder", 0755) == 0 && rename("small", "folder/renamed") == 0, "rename");
    CHECK(link("folder/renamed", "linked") == 0 && symlink("folder", "led") == 0, "link");
    CHECK(stat("led/renamed", &status) == 0 && status.st_size == 1 && access("linked", W_OK) == 0, "stat");
    CHECK(truncate("linked", 9) == 0 && chmod("linked", 0600) == 0, "truncate");
    CHECK(unlink("led") == 0 && unlink("linked") == 0 && unlink("folder/renamed") == 0 && rmdir("folder") == 0, "unlink");
    done++;
  }
  CHECK(done == expected, "%d rounds of %d", done, expected);
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  CHECK(pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN) == 0, "pthread_attr_setstacksize");
  CHECK(pthread_create(&thread, &attributes, uses_files, NULL) == 0, "pthread_create");
  WAIT_UNTIL(begun, "the thread has not begun");
  probe_hold();
  go = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
