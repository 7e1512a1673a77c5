// The ids in the text of status, stat and children, and in the folders of /proc, by every function that opens or lists a file;
// one such file is open nearly all the time, also while a checkpoint is made.
// sabotage: poke @pid
// churn: fds
#include "../probe.h"
#include <dirent.h>
#include <sys/wait.h>

static pid_t pid;
static volatile pid_t thread_tid;
static volatile int stop, rounds;

static void whole(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  CHECK(fd >= 0, "open %s", path);
  ssize_t count = read(fd, text, size - 1);
  CHECK(count >= 0, "read %s", path);
  text[count] = 0;
  close(fd);
}
static int field(const char *text, const char *name) {
  const char *at = strstr(text, name);
  CHECK(at && (at == text || at[-1] == '\n'), "no %s", name);
  return atoi(at + strlen(name));
}
static void check_stat(const char *path, pid_t self) {
  char text[1024];
  whole(path, text, sizeof text);
  int ids[7] = {0};
  char state;
  const char *end = strrchr(text, ')');
  CHECK(end && sscanf(end + 1, " %c %d %d %d %d %d", &state, &ids[1], &ids[2], &ids[3], &ids[4], &ids[5]) == 6, "%s: %s", path, text);
  CHECK(atoi(text) == self, "%s begins with %d instead of %d", path, atoi(text), self);
  CHECK(strchr(text, '(') && strncmp(strchr(text, 40), "((a) 7 (b)", 10) == 0, "name in %s", text);
  CHECK(ids[1] == getppid(), "parent in %s is %d instead of %d", path, ids[1], getppid());
  CHECK(ids[2] == getpgrp(), "group in %s is %d instead of %d", path, ids[2], getpgrp());
  CHECK(ids[3] == getsid(0), "session in %s is %d instead of %d", path, ids[3], getsid(0));
  CHECK(strlen(text) > 100 && text[strlen(text) - 1] == '\n', "%s is cut", path);
}
static void check_status(const char *path, pid_t self) {
  char text[8192];
  whole(path, text, sizeof text);
  CHECK(field(text, "Pid:") == self && field(text, "NSpid:") == self, "Pid: in %s is %d instead of %d", path, field(text, "Pid:"), self);
  CHECK(field(text, "Tgid:") == pid && field(text, "NStgid:") == pid, "Tgid: in %s is %d", path, field(text, "Tgid:"));
  CHECK(field(text, "PPid:") == getppid(), "PPid: in %s is %d", path, field(text, "PPid:"));
  CHECK(field(text, "NSpgid:") == getpgrp() && field(text, "NSsid:") == getsid(0), "NSpgid:, NSsid: in %s", path);
  CHECK(field(text, "TracerPid:") == 0, "TracerPid: in %s is %d", path, field(text, "TracerPid:"));
  CHECK(strstr(text, "\nThreads:\t2\n") || strstr(text, "\nThreads:\t3\n"), "Threads: in %s", path);
  CHECK(strstr(text, "nonvoluntary_ctxt_switches:"), "%s is cut", path);
}
static int lists(const char *folder, pid_t id) {
  DIR *stream = opendir(folder);
  CHECK(stream, "opendir %s", folder);
  int found = 0;
  struct dirent *entry;
  while ((entry = readdir(stream))) found += atoi(entry->d_name) == id;
  closedir(stream);
  return found;
}

static void *reader(void *argument) {
  thread_tid = gettid();
  while (!stop) {
    char text[8192];
    int fd = open("/proc/thread-self/status", O_RDONLY);
    CHECK(fd >= 0, "open /proc/thread-self/status");
    probe_sleep_ms(3);
    lseek(fd, 0, SEEK_SET);
    ssize_t count = read(fd, text, sizeof text - 1);
    CHECK(count > 100, "read of a file that was opened before");
    close(fd);
    rounds++;
  }
  return argument;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  pid = getpid();
  probe_note("pid", (uint64_t)(uintptr_t)&pid);
  pthread_setname_np(pthread_self(), "(a) 7 (b");
  pthread_t thread;
  pthread_create(&thread, NULL, reader, NULL);
  WAIT_UNTIL(thread_tid && rounds, "the thread did not start");
  pthread_setname_np(thread, "(a) 7 (b");
  probe_hold();
  char path[128], text[8192];
  pid_t tid = thread_tid;
  check_status("/proc/self/status", pid);
  check_stat("/proc/self/stat", pid);
  check_status("/proc//self//status", pid);
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  check_stat(path, pid);
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  check_status(path, pid);
  snprintf(path, sizeof path, "/proc/%d/task/%d/stat", pid, tid);
  check_stat(path, tid);
  snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
  check_status(path, tid);
  check_status("/proc/thread-self/status", pid);
  stop = 1;
  pthread_join(thread, NULL);

  int folder = open("/proc/self", O_RDONLY | O_DIRECTORY);
  int fd = openat(folder, "stat", O_RDONLY);
  CHECK(fd == folder + 1 && read(fd, text, sizeof text) > 100 && atoi(text) == pid, "openat gives %d after %d", fd, folder);
  CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY && (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0, "flags of the descriptor");
  close(fd);
  close(folder);
  FILE *file = fopen("/proc/self/stat", "re");
  int first = 0;
  CHECK(file && fscanf(file, "%d", &first) == 1 && first == pid, "fopen: %d", first);
  CHECK((file = freopen("/proc/self/status", "r", file)) != NULL, "freopen");
  CHECK(fread(text, 1, sizeof text - 1, file) > 100 && strstr(text, "Tgid:") && atoi(strstr(text, "Tgid:") + 5) == pid, "freopen: %.60s", text);
  fclose(file);
  whole("/proc/self/comm", text, sizeof text);
  CHECK(strcmp(text, "(a) 7 (b\n") == 0, "another file: %s", text);
  CHECK(open("/proc/self/nothing", O_RDONLY) == -1 && errno == ENOENT, "a file that is not there");

  pid_t child = fork();
  if (child == 0) {
    whole("/proc/self/status", text, sizeof text);
    _exit(field(text, "PPid:") == pid && field(text, "Pid:") == getpid() ? 0 : 1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "what a child reads of itself");
  child = fork();
  if (child == 0)
    for (;;) pause();
  snprintf(path, sizeof path, "/proc/%d/status", child);
  whole(path, text, sizeof text);
  CHECK(field(text, "PPid:") == pid && field(text, "Pid:") == child, "PPid: of a child is %d", field(text, "PPid:"));
  snprintf(path, sizeof path, "/proc/self/task/%d/children", pid);
  if (access(path, R_OK) == 0) {
    whole(path, text, sizeof text);
    CHECK(atoi(text) == child, "children: %s instead of %d", text, child);
  }
  CHECK(lists("/proc", pid) == 1 && lists("/proc", child) == 1, "/proc lists another process");
  CHECK(lists("/proc/self/task", pid) == 1, "/proc/self/task lists another thread");
  memset(text, 0, sizeof text);
  CHECK(readlink("/proc/thread-self", text, sizeof text - 1) > 0 && atoi(text) == pid, "/proc/thread-self is %s", text);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return probe_ok();
}
