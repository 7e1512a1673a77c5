// A file that is only read, while others of the computation write to it by opening it each time: a restarted run gets a version of its own, and
// the reader keeps the one that it has opened, also in the restarts of the snapshots that follow.
// overtaken: the run that goes on writes to a file that the snapshot needs as it was
// sabotage: call close @reader
#include "../probe.h"
#include <sys/wait.h>

static void append(void) {
  pid_t child = fork();
  if (child == 0) {
    int fd = open("log", O_WRONLY | O_APPEND | O_CREAT, 0644);
    _exit(fd >= 0 && write(fd, "more\n", 5) == 5 ? 0 : 1);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "append gave %x", status);
}

static volatile long appended;
static volatile int ended;
static void *writer(void *unused) {
  (void)unused;
  while (!ended) {
    append();
    appended++;
    probe_sleep_ms(20);
  }
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  append();
  int reader = open("log", O_RDONLY);
  char text[8];
  CHECK(reader >= 0 && read(reader, text, 3) == 3, "read");
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, writer, NULL) == 0, "pthread_create");
  probe_note("reader", (uint64_t)reader);
  probe_hold();
  ended = 1;
  CHECK(pthread_join(thread, NULL) == 0, "pthread_join");
  CHECK(lseek(reader, 0, SEEK_CUR) == 3 && read(reader, text, 2) == 2 && memcmp(text, "e\n", 2) == 0, "the reader's place");
  struct stat status;
  CHECK(stat("log", &status) == 0 && status.st_size >= 5, "%ld bytes", (long)status.st_size);
  return probe_ok();
}
