// Listings of /proc and of a process's threads that are under way: begun before, they go on with the ids that the program knows, leave none
// out and give none twice.
// sabotage: poke @cell
#include "../probe.h"
#include <dirent.h>
#include <sys/wait.h>

enum { CHILDREN = 6, THREADS = 6, MOST = 1 << 16 };
static pid_t children[CHILDREN];
static volatile pid_t tids[THREADS];
static volatile int stop;
static uint64_t cell = 5;

static void *body(void *argument) {
  tids[(long)argument] = gettid();
  while (!stop) probe_sleep_ms(3);
  return NULL;
}

typedef struct {
  DIR *stream;
  int ids[MOST], count, names, self;
} Scan;
static Scan all, threads, begun;

// Reads until `last` was given; 0: to the end; -1: until the first name that is no id.
static void read_to(Scan *scan, int last) {
  struct dirent *entry;
  errno = 0;
  while ((entry = readdir(scan->stream))) {
    char *end;
    long id = strtol(entry->d_name, &end, 10);
    scan->self += strcmp(entry->d_name, "self") == 0;
    if (*end != 0 || id <= 0) {
      scan->names++;
      if (last == -1 && entry->d_name[0] != '.') return;
      continue;
    }
    CHECK(scan->count < MOST, "too many entries");
    scan->ids[scan->count++] = (int)id;
    if (id == last) return;
  }
  CHECK(errno == 0, "readdir");
  CHECK(last <= 0, "no entry %d", last);
}
static int times(const Scan *scan, int id) {
  int count = 0;
  for (int i = 0; i < scan->count; i++) count += scan->ids[i] == id;
  return count;
}
static void check_processes(const Scan *scan, const char *which) {
  CHECK(times(scan, getpid()) == 1, "%s: the process is there %d times", which, times(scan, getpid()));
  for (int i = 0; i < CHILDREN; i++) CHECK(times(scan, children[i]) == 1, "%s: child %d is there %d times", which, i, times(scan, children[i]));
  for (int i = 0; i < scan->count; i++) CHECK(times(scan, scan->ids[i]) == 1, "%s: %d is there %d times", which, scan->ids[i], times(scan, scan->ids[i]));
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  for (int i = 0; i < CHILDREN; i++) {
    if ((children[i] = fork()) == 0) {
      probe_end_with_parent();
      for (;;) pause();
    }
    CHECK(children[i] > 0, "fork");
  }
  pthread_t made[THREADS];
  tids[0] = gettid();
  for (long i = 1; i < THREADS; i++) pthread_create(&made[i], NULL, body, (void *)i);
  for (int i = 1; i < THREADS; i++) WAIT_UNTIL(tids[i] != 0, "the threads do not start");
  all.stream = opendir("/proc");
  threads.stream = opendir("/proc/self/task");
  begun.stream = opendir("/proc");
  read_to(&all, children[2]);
  read_to(&threads, tids[2]);
  // In the middle of the names: what libc has in its buffer are ids of now.
  read_to(&begun, -1);
  const int names = begun.names;
  probe_hold();
  CHECK(cell == 5, "a static value");
  read_to(&all, 0);
  check_processes(&all, "/proc");
  read_to(&begun, 0);
  check_processes(&begun, "/proc that has just been begun");
  CHECK(begun.names > names && begun.names == all.names && begun.self == 1, "%d names after the first %d, elsewhere %d", begun.names, names, all.names);
  read_to(&threads, 0);
  for (int i = 0; i < THREADS; i++) CHECK(times(&threads, tids[i]) == 1, "thread %d is there %d times", i, times(&threads, tids[i]));
  // Cairn has one of its own, which has no id of before.
  CHECK(threads.count <= THREADS + 2, "%d threads", threads.count);
  rewinddir(all.stream);
  all.count = 0;
  read_to(&all, 0);
  check_processes(&all, "/proc from the beginning");
  begun.count = 0;
  DIR *given = fdopendir(dup(dirfd(all.stream)));
  closedir(begun.stream);
  begun.stream = given;
  CHECK(given != NULL, "fdopendir");
  rewinddir(given);
  read_to(&begun, 0);
  check_processes(&begun, "/proc by fdopendir");
  struct dirent **list;
  int count = scandir("/proc", &list, NULL, NULL), seen = 0;
  for (int i = 0; i < count; i++) seen += atoi(list[i]->d_name) == children[3], free(list[i]);
  CHECK(count > 0 && seen == 1, "scandir shows a child %d times", seen);
  free(list);
  closedir(all.stream), closedir(threads.stream), closedir(begun.stream);
  stop = 1;
  for (int i = 1; i < THREADS; i++) pthread_join(made[i], NULL);
  for (int i = 0; i < CHILDREN; i++) {
    kill(children[i], SIGKILL);
    CHECK(waitpid(children[i], NULL, 0) == children[i], "waitpid");
  }
  return probe_ok();
}
