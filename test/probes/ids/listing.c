// Listings of /proc/self/task, /proc/PID/task and /proc name threads and processes as the program knows them: by readdir, scandir
// and glob.
// sabotage: poke @cell
#include "../probe.h"
#include <dirent.h>
#include <glob.h>
#include <sys/wait.h>

enum { COUNT = 4 };
static volatile pid_t tids[COUNT];
static volatile int stop;
static uint64_t cell = 3;

static void *body(void *argument) {
  tids[(long)argument] = gettid();
  while (!stop) probe_sleep_ms(3);
  return NULL;
}
static int known(int tid, int *seen) {
  for (int i = 0; i < COUNT; i++)
    if (tids[i] == tid) return ++seen[i];
  return 0;
}
static void check_seen(const int *seen, int wanted, int others, const char *how) {
  for (int i = 0; i < wanted; i++) CHECK(seen[i] == 1, "%s shows thread %d %d times", how, tids[i], seen[i]);
  // Cairn has one in each process, which is not hidden.
  CHECK(others <= 1, "%s shows %d threads that are not the program's", how, others);
}
static int is_number(const struct dirent *entry) { return entry->d_name[0] >= '0' && entry->d_name[0] <= '9'; }

static void check_task(const char *path) {
  int seen[COUNT] = {0}, others = 0;
  DIR *stream = opendir(path);
  CHECK(stream != NULL, "opendir of %s", path);
  struct dirent *entry;
  while ((entry = readdir(stream)))
    if (is_number(entry) && !known(atoi(entry->d_name), seen)) others++;
  closedir(stream);
  check_seen(seen, COUNT, others, "readdir");

  memset(seen, 0, sizeof seen);
  others = 0;
  struct dirent **list;
  int count = scandir(path, &list, is_number, alphasort);
  for (int i = 0; i < count; i++) {
    if (!known(atoi(list[i]->d_name), seen)) others++;
    free(list[i]);
  }
  free(list);
  check_seen(seen, COUNT, others, "scandir");

  memset(seen, 0, sizeof seen);
  others = 0;
  char pattern[64];
  snprintf(pattern, sizeof pattern, "%s/[0-9]*", path);
  glob_t found;
  CHECK(glob(pattern, 0, NULL, &found) == 0, "glob of %s", pattern);
  for (size_t i = 0; i < found.gl_pathc; i++)
    if (!known(atoi(strrchr(found.gl_pathv[i], '/') + 1), seen)) others++;
  globfree(&found);
  check_seen(seen, COUNT, others, "glob");
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  tids[0] = gettid();
  pthread_t threads[COUNT];
  for (long i = 1; i < COUNT; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    for (;;) pause();
  }
  WAIT_UNTIL(tids[1] && tids[2] && tids[3], "the threads do not start");
  probe_hold();
  CHECK(cell == 3, "a static value");
  check_task("/proc/self/task");
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", getpid());
  check_task(path);
  int self = 0, children = 0;
  DIR *stream = opendir("/proc");
  struct dirent *entry;
  while ((entry = readdir(stream))) {
    self += atoi(entry->d_name) == getpid();
    children += atoi(entry->d_name) == child;
  }
  closedir(stream);
  CHECK(self == 1 && children == 1, "/proc shows the process %d times and its child %d times", self, children);
  snprintf(path, sizeof path, "/proc/%d/task/%d/status", getpid(), tids[2]);
  CHECK(access(path, R_OK) == 0, "%s", path);
  stop = 1;
  for (int i = 1; i < COUNT; i++) pthread_join(threads[i], NULL);
  kill(child, SIGKILL);
  CHECK(waitpid(child, NULL, 0) == child, "waitpid");
  return probe_ok();
}
