// Paths in /proc that hold a pid or tid, and what the files there say of ids.
// sabotage: poke @pid
// bits: 64, 32
#include "../probe.h"
#include <dirent.h>

static volatile int stop;
static volatile pid_t thread_tid;
static pid_t pid;
static void *body(void *argument) {
  thread_tid = gettid();
  while (!stop) probe_sleep_ms(3);
  return argument;
}
static int status_id(const char *path, const char *field) {
  FILE *file = fopen(path, "r");
  CHECK(file, "open %s", path);
  char line[256];
  int id = -1;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, field, strlen(field)) == 0) id = atoi(line + strlen(field));
  fclose(file);
  return id;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid = getpid();
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  pthread_t thread;
  pthread_create(&thread, NULL, body, NULL);
  WAIT_UNTIL(thread_tid, "the thread did not start");
  pthread_setname_np(thread, "findme");
  probe_hold();
  char path[128], text[256] = "";
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  CHECK(readlink(path, text, sizeof text) > 0, "readlink %s", path);
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  CHECK(access(path, R_OK) == 0, "access %s", path);
  snprintf(path, sizeof path, "/proc/%d/task/%d/comm", pid, thread_tid);
  int fd = open(path, O_RDONLY);
  CHECK(fd >= 0 && read(fd, text, sizeof text) > 6 && memcmp(text, "findme\n", 7) == 0, "%s is '%.7s'", path, text);
  close(fd);
  snprintf(path, sizeof path, "/proc/self/task/%d/comm", thread_tid);
  FILE *file = fopen(path, "r");
  CHECK(file && fgets(text, sizeof text, file) && strcmp(text, "findme\n") == 0, "fopen %s", path);
  fclose(file);
  struct stat status;
  snprintf(path, sizeof path, "/proc/%d/task/%d", pid, thread_tid);
  CHECK(stat(path, &status) == 0 && S_ISDIR(status.st_mode), "stat %s", path);
  snprintf(path, sizeof path, "/proc/%d", thread_tid);
  CHECK(stat(path, &status) == 0, "stat %s", path);
  memset(text, 0, sizeof text);
  CHECK(readlink("/proc/self", text, sizeof text - 1) > 0 && atoi(text) == pid, "/proc/self is %s", text);
  DIR *tasks = opendir("/proc/self/task");
  int found = 0;
  struct dirent *entry;
  while (tasks && (entry = readdir(tasks))) found += atoi(entry->d_name) == pid || atoi(entry->d_name) == thread_tid;
  closedir(tasks);
  CHECK(found == 2, "/proc/self/task lists %d of 2 threads", found);
  CHECK(status_id("/proc/self/status", "Pid:") == pid, "Pid: in /proc/self/status is %d", status_id("/proc/self/status", "Pid:"));
  CHECK(status_id("/proc/self/status", "PPid:") == getppid(), "PPid: in /proc/self/status is %d", status_id("/proc/self/status", "PPid:"));
  file = fopen("/proc/self/stat", "r");
  int first = 0;
  CHECK(file && fscanf(file, "%d", &first) == 1 && first == pid, "/proc/self/stat begins with %d", first);
  fclose(file);
  stop = 1;
  pthread_join(thread, NULL);
  return probe_ok();
}
