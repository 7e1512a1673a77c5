// What a restart could not give back to a thread or a process, by its first argument; says so, and ends well when a line comes.
//
//   apart thread-files|thread-folder|process-folder|user|aio|lease|notice|moved|filter|thread-filter|landlock|landlock-program|
//         landlock-vfork|landlock-nothing|landlock-later
//   apart filtered COMMAND…: in a filter of system calls that lets everything pass
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int unshared;
static pthread_barrier_t met;

static int filter(void);
static pid_t helper_of;

static void *own_part(void *flags) {
  unshared = flags == NULL ? filter() : unshare((int)(long)flags);
  pthread_barrier_wait(&met);
  for (;;) pause();
  return NULL;
}

static int in_thread(int flags) {
  pthread_t thread;
  pthread_barrier_init(&met, NULL, 2);
  pthread_create(&thread, NULL, own_part, (void *)(long)flags);
  pthread_barrier_wait(&met);
  return unshared;
}

static int execute_self(void *unused) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execl("/proc/self/exe", "apart", "wait", NULL);
  return unused == NULL;
}

// After exec the working folder is still shared.
static int in_process(void) {
  static char stack[1 << 16] __attribute__((aligned(16)));
  return clone(execute_self, stack + sizeof stack, SIGCHLD | CLONE_FS, NULL) < 0;
}

// Allows everything.
static int filter(void) {
  struct sock_filter instruction = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {1, &instruction};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

// For writing: nobody else can read the file.
static int lease(void) {
  int fd = open("leased", O_RDWR | O_CREAT | O_TRUNC, 0600);
  return fcntl(fd, F_SETLEASE, F_WRLCK);
}

static int notice(void) { return fcntl(open(".", O_RDONLY | O_DIRECTORY), F_NOTIFY, (long)DN_CREATE); }

// What is watched goes where nobody has it open.
static int moved(void) {
  int fd = open("watched", O_WRONLY | O_CREAT, 0600), instance = inotify_init();
  return close(fd) || inotify_add_watch(instance, "watched", IN_MODIFY) != 1 || mkdir("elsewhere", 0700) || rename("watched", "elsewhere/watched");
}

static int asynchronous(void) {
  unsigned long context = 0;
  return (int)syscall(SYS_io_setup, 8, &context);
}

// May bind no port: that is enough.
static int landlock(void) {
  unsigned long handled[2] = {0, 1};
  long rules = syscall(444 /* landlock_create_ruleset */, handled, sizeof handled, 0);
  return rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(446 /* landlock_restrict_self */, rules, 0) || close((int)rules);
}

// A child that has this memory restricts itself, and nobody else.
static int landlock_vfork(void) {
  pid_t child = vfork();
  if (child == 0) _exit(landlock());
  int status;
  return waitpid(child, &status, 0) != child || status != 0;
}

// Without rules, it says what is to be logged of those to come.
static int landlock_nothing(void) {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(446 /* landlock_restrict_self */, -1, 4 /* LOG_SUBDOMAINS_OFF */);
}

// The child of one that restricts itself later executes a program, and has no part in that.
static int landlock_later(void) {
  int go[2], told[2];
  if (pipe(go) || pipe(told)) return 1;
  pid_t middle = fork();
  if (middle == 0) {
    pid_t helper = fork();
    char letter;
    if (helper == 0) {
      close(go[1]);
      if (read(go[0], &letter, 1) == 1) execl("/proc/self/exe", "apart", "helper", NULL);
      _exit(1);
    }
    usleep(50000);  // more than the kernel's tick, in which beginnings are told
    if (landlock() || write(go[1], "x", 1) != 1) kill(helper, SIGKILL), _exit(1);
    while (access("helper", F_OK)) usleep(1000);
    if (write(told[1], &helper, sizeof helper) != sizeof helper) _exit(1);
    _exit(0);
  }
  int status;
  if (waitpid(middle, &status, 0) != middle || status != 0) return 1;
  return read(told[0], &helper_of, sizeof helper_of) != sizeof helper_of;
}

static int landlock_program(void) {
  if (landlock()) return 1;
  execl("/proc/self/exe", "apart", "nothing", NULL);
  return 1;
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "wait") == 0)
    for (;;) pause();
  if (strcmp(what, "filtered") == 0) {
    if (argc < 3 || filter()) puts("none"), exit(0);
    execv(argv[2], argv + 2);
    return 1;
  }
  if (strcmp(what, "helper") == 0) {
    close(open("helper", O_CREAT | O_WRONLY, 0600));
    for (;;) pause();
  }
  int failed = strcmp(what, "thread-files") == 0     ? in_thread(CLONE_FILES)
               : strcmp(what, "thread-folder") == 0  ? in_thread(CLONE_FS)
               : strcmp(what, "process-folder") == 0 ? in_process()
               : strcmp(what, "user") == 0           ? setresuid(65534, 65534, 0)
               : strcmp(what, "aio") == 0            ? asynchronous()
               : strcmp(what, "lease") == 0          ? lease()
               : strcmp(what, "notice") == 0         ? notice()
               : strcmp(what, "moved") == 0          ? moved()
               : strcmp(what, "landlock") == 0       ? landlock()
               : strcmp(what, "landlock-program") == 0 ? landlock_program()
               : strcmp(what, "landlock-vfork") == 0 ? landlock_vfork()
               : strcmp(what, "landlock-nothing") == 0 ? landlock_nothing()
               : strcmp(what, "landlock-later") == 0 ? landlock_later()
               : strcmp(what, "thread-filter") == 0  ? in_thread(0)
               : strcmp(what, "nothing") == 0        ? 0
                                                     : filter();
  if (failed) printf("none: %s\n", strerror(errno));
  else puts("made");
  fflush(stdout);
  char line[8];
  if (fgets(line, sizeof line, stdin)) puts("done");
  if (helper_of > 0) kill(helper_of, SIGKILL);
  return 0;
}
