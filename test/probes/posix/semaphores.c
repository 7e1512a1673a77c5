// POSIX semaphores: named, found again by name; unnamed in shared memory, waited for by a child across the checkpoint.
// sabotage: poke @word
// alone: it has names that are no paths
#include "../probe.h"
#include "names.h"
#include <semaphore.h>
#include <sys/wait.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char name[64];
  snprintf(name, sizeof name, "/cairn-probe-sem-%d", getpid());
  sem_t *named = sem_open(name, O_CREAT | O_EXCL, 0600, 3);
  sem_t *shared = (sem_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(named != SEM_FAILED && shared != MAP_FAILED && sem_init(shared, 1, 0) == 0 && sem_init(shared + 1, 1, 0) == 0, "sem_open");
  probe_note("word", (uint64_t)(uintptr_t)named);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    if (sem_wait(shared)) _exit(1);
    sem_t *again = sem_open(name, 0);
    if (again == SEM_FAILED || sem_wait(again) || sem_post(shared + 1)) _exit(2);
    while (sem_wait(named)) {
    }
    _exit(3);
  }
  int value = 0;
  CHECK(sem_wait(named) == 0 && sem_getvalue(named, &value) == 0 && value == 2, "the value is %d", value);
  probe_hold();
  CHECK(sem_getvalue(named, &value) == 0 && value == 2, "the value is %d", value);
  int status = 0;
  CHECK(sem_wait(named) == 0 && sem_post(shared) == 0, "sem_post");
  int answered = 0;
  WAIT_UNTIL((answered = answered || sem_trywait(shared + 1) == 0) || waitpid(child, &status, WNOHANG) != 0, "the child does not answer");
  CHECK(status == 0, "the child gave %x", (unsigned)status);
  // Now the child waits for the named one.
  CHECK(sem_getvalue(named, &value) == 0 && value == 0, "the value is %d", value);
  sem_t *again = sem_open(name, 0);
  CHECK(again != SEM_FAILED && sem_post(again) == 0, "found by its name");
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3, "the child gave %x", (unsigned)status);
  CHECK(sem_unlink(name) == 0 && sem_open(name, 0) == SEM_FAILED && errno == ENOENT, "sem_unlink");
  again = sem_open(name, O_CREAT | O_EXCL, 0600, 5);
  CHECK(again != SEM_FAILED && sem_getvalue(again, &value) == 0 && value == 5 && sem_close(again) == 0 && sem_unlink(name) == 0, "a new one");
  snprintf(name, sizeof name, "sem.cairn-probe-sem-%d", getpid());
  probe_remove_leftovers(name);
  return probe_ok();
}
