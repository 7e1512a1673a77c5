// Waits with a time-out that began before the checkpoint end when what remained of it has passed: not at once, and not after the whole
// time again. The time in which nothing of the program ran is not counted against them.
// sabotage: poke @cell
// churn: threads
// attached: not known: when a wait began that was there before
// alone: it removes the semaphores of all runs
#include "../sysv/sysv.h"
#include "pauses.h"
#include <poll.h>
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>

enum { NANOSLEEP, CLOCK_NANOSLEEP, USLEEP, SIGTIMEDWAIT, POLL, PPOLL, SELECT, PSELECT, EPOLL, EPOLL2, SEM, SEMTIMEDOP, KINDS };
static const char *const names[] = {"nanosleep", "clock_nanosleep", "usleep", "sigtimedwait", "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait2", "sem_clockwait", "semtimedop"};
static const int64_t WAIT = 3500, BEFORE = 1500, TOLERANCE = 1200;  // milliseconds
static int64_t began[KINDS], took[KINDS];
static int epoll_fd, set;
enum { SEMAPHORES = 41 };  // of this probe's sets alone
static sem_t semaphore;
static uint64_t cell = 3;

static void *body(void *argument) {
  int which = (int)(intptr_t)argument;
  struct timespec time = {WAIT / 1000, WAIT % 1000 * 1000000};
  struct timeval old_time = {WAIT / 1000, WAIT % 1000 * 1000};
  struct epoll_event event;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
  began[which] = now();
  int64_t start = began[which];
  errno = 0;
  int result = -2;
  switch (which) {
    case NANOSLEEP: result = nanosleep(&time, NULL); break;
    case CLOCK_NANOSLEEP: result = clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL); break;
    case USLEEP: result = usleep((useconds_t)WAIT * 1000); break;
    case SIGTIMEDWAIT: result = sigtimedwait(&signals, NULL, &time) == -1 && errno == EAGAIN ? 0 : -1; break;
    case POLL: result = poll(NULL, 0, (int)WAIT); break;
    case PPOLL: result = ppoll(NULL, 0, &time, NULL); break;
    case SELECT: result = select(0, NULL, NULL, NULL, &old_time); break;
    case PSELECT: result = pselect(0, NULL, NULL, NULL, &time, NULL); break;
    case EPOLL: result = epoll_wait(epoll_fd, &event, 1, (int)WAIT); break;
    case EPOLL2: result = epoll_pwait2(epoll_fd, &event, 1, &time, NULL); break;
    case SEM: {
      struct timespec then;
      clock_gettime(CLOCK_MONOTONIC, &then);
      then.tv_sec += WAIT / 1000;
      then.tv_nsec += WAIT % 1000 * 1000000;
      if (then.tv_nsec >= 1000000000) then.tv_sec++, then.tv_nsec -= 1000000000;
      result = sem_clockwait(&semaphore, CLOCK_MONOTONIC, &then) == -1 && errno == ETIMEDOUT ? 0 : -1;
      break;
    }
    default: {
      struct sembuf take = {0, -1, 0};
      result = semtimedop(set, &take, 1, &time) == -1 && errno == EAGAIN ? 0 : -1;
    }
  }
  int error = errno;
  CHECK(result == 0, "%s gave %d: %s", names[which], result, strerror(error));
  took[which] = now() - start;
  return argument;
}

// What runs that were killed have left behind.
static void remove_sets(void) {
  FILE *list = fopen("/proc/sysvipc/sem", "r");
  char line[512];
  int key, id, mode, count;
  while (list && fgets(line, sizeof line, list))
    if (sscanf(line, "%d %d %o %d", &key, &id, (unsigned *)&mode, &count) == 4 && count == SEMAPHORES) sysv_call(SYS_semctl, id, 0, IPC_RMID);
  if (list) fclose(list);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  epoll_fd = epoll_create1(0);
  sem_init(&semaphore, 0, 0);
  remove_sets();
  set = semget(IPC_PRIVATE, SEMAPHORES, 0600);
  CHECK(set >= 0, "semget");
  pthread_t watcher, threads[KINDS];
  pthread_create(&watcher, NULL, watch, NULL);
  for (intptr_t i = 0; i < KINDS; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  probe_sleep_ms(BEFORE);
  probe_hold();
  for (int i = 0; i < KINDS; i++) pthread_join(threads[i], NULL);
  CHECK(cell == 3, "a static value");
  for (int i = 0; i < KINDS; i++) {
    CHECK(took[i] >= WAIT - 2, "%s took %d ms", names[i], (int)took[i]);
    CHECK(took[i] <= WAIT + pauses + TOLERANCE, "%s took %d ms, of which nobody ran in %d", names[i], (int)took[i], (int)pauses);
  }
  CHECK(semctl(set, 0, IPC_RMID) == 0, "semctl");
  remove_sets();
  stop = 1;
  pthread_join(watcher, NULL);
  return probe_ok();
}
