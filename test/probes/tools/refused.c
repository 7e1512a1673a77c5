// Makes a descriptor of a kind whose state no program can read (of io_uring one with a request in progress), says its number or why there is none, and ends when a line comes.
//
//   refused io_uring|userfaultfd|fanotify|perf|secret|strict (which is no descriptor, but the mode of seccomp)
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long make(const char *kind) {
  if (strcmp(kind, "io_uring") == 0) {
    // With something in progress: it waits for its standard input.
    struct io_uring_params parameters;
    memset(&parameters, 0, sizeof parameters);
    long fd = syscall(SYS_io_uring_setup, 4, &parameters);
    if (fd < 0) return fd;
    char *queues = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, IORING_OFF_SQES);
    memset(entries, 0, sizeof *entries);
    entries->opcode = IORING_OP_POLL_ADD;
    entries->poll32_events = POLLHUP;
    *(unsigned *)(queues + parameters.sq_off.array) = 0;
    *(unsigned *)(queues + parameters.sq_off.tail) = 1;
    return syscall(SYS_io_uring_enter, fd, 1, 0, 0, NULL, 0) == 1 ? fd : -1;
  }
  if (strcmp(kind, "userfaultfd") == 0) return syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */);
  if (strcmp(kind, "secret") == 0) {
    long fd = syscall(447 /* memfd_secret */, 0);
    if (fd < 0 || ftruncate((int)fd, 4096) < 0) return -1;
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
    if (memory == MAP_FAILED) return -1;
    *memory = 1;
    return fd;
  }
  if (strcmp(kind, "strict") == 0) return syscall(SYS_seccomp, 0 /* SECCOMP_SET_MODE_STRICT */, 0, NULL);
  if (strcmp(kind, "fanotify") == 0) return fanotify_init(FAN_CLASS_NOTIF, 0);
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  attributes.exclude_kernel = 1;
  return syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

int main(int argc, char **argv) {
  long fd = make(argc > 1 ? argv[1] : "");
  if (fd < 0) printf("none: %s\n", strerror(errno));
  else printf("made %ld\n", fd);
  fflush(stdout);
  char line[8];
  if (fgets(line, sizeof line, stdin)) puts("done");
  return 0;
}
