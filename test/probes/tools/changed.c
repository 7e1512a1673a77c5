// `changed`: two processes that live until the file "end" is there; the first one says so again and again, and when the file "more.SESSION" is
// there executes the program again in a new process ("later"). For tests of plugins that change meanwhile.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void pause_for_a_moment(void) {
  struct timespec pause = {0, 5000000};
  nanosleep(&pause, NULL);
}

static int wait_for_end(void) {
  while (access("end", F_OK) != 0) pause_for_a_moment();
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return wait_for_end();
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (fork() == 0) return wait_for_end();
  while (access("end", F_OK) != 0) {
    char more[128];
    const char *session = getenv("CAIRN_SESSION");
    snprintf(more, sizeof more, "more.%s", session != NULL ? session : "");
    puts("goes on");
    if (unlink(more) == 0 && fork() == 0) {
      execl("/proc/self/exe", argv[0], "later", (char *)NULL);
      _exit(127);
    }
    pause_for_a_moment();
  }
  int failed = 0, status = 0;
  while (wait(&status) > 0) failed |= status;
  return failed != 0;
}
