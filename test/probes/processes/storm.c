// Children are made, execute programs and end all the time, while checkpoints begin: none is lost, none is waited for in vain.
// sabotage: poke @stop
// churn: maps threads fds SigPnd ShdPnd SigBlk
#include "../probe.h"
#include <spawn.h>
#include <sys/wait.h>

static volatile int stop, rounds, wrong, spawned, bad_status;
extern char **environ;

static void *forks(void *argument) {
  for (int i = 0; !stop; i++) {
    pid_t child = fork();
    if (child == 0) _exit(i & 127);
    int status = -1;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != (i & 127)) wrong = 1;
    rounds++;
  }
  return argument;
}

static void *spawns(void *argument) {
  char *words[] = {"sh", "-c", "exit 6", NULL};
  while (!stop) {
    pid_t child;
    int status = -1;
    if (posix_spawnp(&child, "sh", NULL, NULL, words, environ) != 0) wrong = 2;
    else if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 6) wrong = 3, bad_status = status;
    spawned++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("stop", (uint64_t)(uintptr_t)&stop);
  pthread_t one, two;
  pthread_create(&one, NULL, forks, NULL);
  pthread_create(&two, NULL, spawns, NULL);
  WAIT_UNTIL(rounds > 3 && spawned > 1, "no children are made");
  probe_hold();
  int so_far = rounds, spawned_so_far = spawned;
  for (int i = 0; i < 2000 && (rounds < so_far + 3 || spawned < spawned_so_far + 2); i++) probe_sleep_ms(10);
  CHECK(rounds >= so_far + 3 && spawned >= spawned_so_far + 2, "no more children are made: %d, %d", rounds - so_far, spawned - spawned_so_far);
  stop = 1;
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  CHECK(wrong == 0, "a child had another status, or was lost (%d, status %x)", wrong, (unsigned)bad_status);
  CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "a child is left");
  return probe_ok();
}
