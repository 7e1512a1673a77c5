// One file open in several processes: each for itself, shared with the first of them, and shared by two others alone. Who shares an
// offset does so afterwards, and nobody else.
// sabotage: call dup2 @apart @first
// bits: 64, 32
#include "../probe.h"

#include <signal.h>
#include <sys/wait.h>

enum { FIRST = 10, ALONE = 20, PAIR = 30 };
static struct {
  int there, asked, done;
  long alone, pair, other;
} *shared;

static int open_at(long offset) {
  int fd = open("log", O_RDWR);
  CHECK(fd >= 0 && lseek(fd, offset, SEEK_SET) == offset, "open");
  return fd;
}

static void wait_for(int *count, int value) {
  struct timespec step = {0, 2000000};
  while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < value) nanosleep(&step, NULL);
}

// Is there; when asked in its turn moves the offset, and says where that was.
static void move(int fd, int turn, long *where) {
  __atomic_add_fetch(&shared->there, 1, __ATOMIC_SEQ_CST);
  wait_for(&shared->asked, turn);
  *where = lseek(fd, 0, SEEK_CUR);
  CHECK(lseek(fd, 1, SEEK_CUR) == *where + 1, "lseek");
  __atomic_store_n(&shared->done, turn, __ATOMIC_SEQ_CST);
}

static void ask(int turn) {
  __atomic_store_n(&shared->asked, turn, __ATOMIC_SEQ_CST);
  wait_for(&shared->done, turn);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED, "mmap");
  int made = open("log", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(made >= 0 && close(made) == 0, "open");
  int first = open_at(FIRST);
  pid_t children[3];
  for (int i = 0; i < 3; i++) {
    children[i] = fork();
    CHECK(children[i] >= 0, "fork");
    if (children[i] > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int own = i == 0 ? first : open_at(i == 1 ? ALONE : PAIR);
    if (i > 0) close(first);
    pid_t child = i == 2 ? fork() : 1;
    CHECK(child >= 0, "fork");
    if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (i == 0) move(own, 1, &shared->other);
    else if (i == 1) move(own, 2, &shared->alone);
    else if (child == 0) move(own, 3, &shared->other);
    else move(own, 4, &shared->pair);
    int status = 0;
    if (i == 2 && child > 0) CHECK(waitpid(child, &status, 0) == child && status == 0, "status 0x%x", status);
    _exit(0);
  }
  wait_for(&shared->there, 4);
  int apart = open_at(0);
  probe_note("first", (uint64_t)first);
  probe_note("apart", (uint64_t)apart);
  probe_hold();
  ask(1);
  CHECK(shared->other == FIRST && lseek(first, 0, SEEK_CUR) == FIRST + 1, "the offset that a child shares: %ld", (long)lseek(first, 0, SEEK_CUR));
  ask(2);
  CHECK(shared->alone == ALONE, "the offset of who has opened it alone: %ld", shared->alone);
  ask(3);
  ask(4);
  CHECK(shared->other == PAIR && shared->pair == PAIR + 1, "the offset of a pair: %ld, %ld", shared->other, shared->pair);
  CHECK(lseek(first, 0, SEEK_CUR) == FIRST + 1 && lseek(apart, 0, SEEK_CUR) == 0, "the offsets of others");
  for (int i = 0; i < 3; i++) {
    int status = 0;
    CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0, "status 0x%x", status);
  }
  return probe_ok();
}
