// system, popen and pclose: libc waits within itself for a child whose number it keeps; the call that is under way at the checkpoint
// gives the command's status, a stream of before can be closed, and both work afterwards.
// sabotage: poke @expected
// attached: not known: streams of popen and calls of system() that were there before
#include "../probe.h"
#include <sys/wait.h>

static int expected = 7;
static volatile int started;
static int waited, closed;

static void *runs(void *command) {
  started++;
  waited = system(command);
  return NULL;
}

static void *closes(void *stream) {
  started++;
  closed = pclose(stream);
  return NULL;
}

static int status_of(const char *command) {
  int status = system(command);
  CHECK(WIFEXITED(status), "system() gave %x", status);
  return WEXITSTATUS(status);
}

int main(int argc, char **argv) {
  char command[200], text[100] = "";
  probe_init(argc, argv);
  probe_note("expected", (uint64_t)(uintptr_t)&expected);
  unlink("go");
  const char *until = "until test -e go; do sleep 0.02; done; exit 7";
  FILE *reading = popen("sh -c 'echo line; until test -e go; do sleep 0.02; done; echo last; exit 3'", "r");
  FILE *closing = popen(until, "w");
  FILE *ended = popen("exit 5", "r");
  CHECK(reading != NULL && closing != NULL && ended != NULL, "popen");
  CHECK(fgets(text, sizeof text, reading) != NULL && strcmp(text, "line\n") == 0, "popen gave '%s'", text);
  pthread_t thread[2];
  pthread_create(&thread[0], NULL, runs, (void *)until);
  pthread_create(&thread[1], NULL, closes, closing);
  while (started < 2) sched_yield();
  // The status of a program that ended before.
  while (getc(ended) != EOF) continue;
  probe_hold();
  close(open("go", O_CREAT | O_WRONLY, 0644));
  pthread_join(thread[0], NULL);
  pthread_join(thread[1], NULL);
  CHECK(WIFEXITED(waited) && WEXITSTATUS(waited) == expected, "the system() that was under way gave %x", waited);
  CHECK(WIFEXITED(closed) && WEXITSTATUS(closed) == 7, "the pclose() that was under way gave %x", closed);
  CHECK(fgets(text, sizeof text, reading) != NULL && strcmp(text, "last\n") == 0, "the stream gave '%s'", text);
  int status = pclose(reading);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3, "pclose of a stream of before gave %x", status);
  status = pclose(ended);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5, "pclose of a command that had ended gave %x", status);
  CHECK(status_of("exit 9") == 9, "system() afterwards");
  CHECK(system(NULL) != 0, "there is no shell");
  snprintf(command, sizeof command, "test $PPID = %d", getpid());
  CHECK(status_of(command) == 0, "the shell's parent");
  FILE *again = popen("echo again; exit 4", "r");
  CHECK(again != NULL && fgets(text, sizeof text, again) != NULL && strcmp(text, "again\n") == 0, "popen afterwards gave '%s'", text);
  status = pclose(again);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 4, "pclose afterwards gave %x", status);
  unlink("go");
  return probe_ok();
}
