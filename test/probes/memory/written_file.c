// A private mapping of a file that the program has open for writing, and that is changed after the snapshot: pages that the program has not
// touched have what was in the file at the checkpoint.
// looks: twice
// sabotage: poke @touched
#include "../probe.h"

static volatile int changed, ended;
static int fd;

/// The run that goes on changes the file.
static void *writer(void *unused) {
  (void)unused;
  for (int i = 0; !ended; i++) {
    CHECK(pwrite(fd, &i, sizeof i, 8192) == sizeof i, "pwrite");
    changed = i;
    probe_sleep_ms(5);
  }
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  static char page[4096];
  fd = open("written", O_RDWR | O_CREAT | O_TRUNC, 0600);
  memset(page, 'p', sizeof page);
  for (int i = 0; i < 3; i++) CHECK(write(fd, page, sizeof page) == sizeof page, "write");
  char *memory = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  CHECK(memory != MAP_FAILED, "mmap");
  memory[100] = 'X';
  probe_note("touched", (uintptr_t)&memory[100]);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, writer, NULL) == 0, "pthread_create");
  probe_hold();
  ended = 1;
  CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
  CHECK(memory[100] == 'X' && memory[101] == 'p' && memory[4096] == 'p' && memory[8191] == 'p' && memory[8192 + 64] == 'p', "the mapping's content");
  int last = -1;
  CHECK(pread(fd, &last, sizeof last, 8192) == sizeof last && last == changed, "the file has %d, not %d", last, changed);
  memory[1] = 'Y';
  CHECK(pread(fd, page, 1, 1) == 1 && page[0] == 'p', "the mapping is not private");
  return probe_ok();
}
