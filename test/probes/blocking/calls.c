// Calls that block until somebody else acts, each in a thread of its own over the checkpoint: none ends before that, and none with EINTR.
// attached: inotify: the path of one of its watches is not known
// alone: whoever opens its FIFO ends the wait of all runs
// sabotage: signal-thread 1 34
#include "../probe.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <linux/futex.h>

enum { ACCEPT, RECVMMSG, WAIT4, WAITID, FLOCK, SETLKW, OFD_SETLKW, FIFO, EVENTFD, INOTIFY, WRITE, READV, SPLICE, TEE, SENDFILE, EPOLL, POLL, FUTEX, CLOSE_ON, KINDS };
static const char *const names[] = {"accept", "recvmmsg", "wait4", "waitid", "flock", "F_SETLKW", "F_OFD_SETLKW", "open of a FIFO", "read of an eventfd",
  "read of an inotify descriptor", "write to a full pipe", "readv", "splice", "tee", "sendfile to a full pipe", "epoll_pwait2", "ppoll", "futex", "recvfrom"};
static volatile int begun[KINDS], done[KINDS];
static int listener, datagrams[2], lock_fd, record_fd, ofd_fd, counter, watch, full[2], empty[2], spliced[2], teed[2], target[2], source, sent_full[2], epoll_fd, stream[2];
static pid_t children[2];
static uint32_t word;

static long body_of(int kind) {
  char buffer[64] = {0};
  struct iovec area = {buffer, sizeof buffer};
  switch (kind) {
    case ACCEPT: return accept(listener, NULL, NULL);
    case RECVMMSG: {
      struct mmsghdr messages[2] = {{.msg_hdr = {.msg_iov = &area, .msg_iovlen = 1}}, {.msg_hdr = {.msg_iov = &area, .msg_iovlen = 1}}};
      return recvmmsg(datagrams[0], messages, 1, 0, NULL);
    }
    case WAIT4: return wait4(children[0], NULL, 0, NULL) == children[0] ? 0 : -1;
    case WAITID: {
      siginfo_t info;
      return waitid(P_PID, (id_t)children[1], &info, WEXITED) == 0 && info.si_pid == children[1] ? 0 : -1;
    }
    case FLOCK: return flock(lock_fd, LOCK_EX);
    case SETLKW:
    case OFD_SETLKW: {
      struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
      return fcntl(kind == SETLKW ? record_fd : ofd_fd, kind == SETLKW ? F_SETLKW : F_OFD_SETLKW, &lock);
    }
    case FIFO: return open("fifo", O_RDONLY);
    case EVENTFD: return read(counter, buffer, 8);
    case INOTIFY: return read(watch, buffer, sizeof buffer);
    case WRITE: return write(full[1], buffer, 1);
    case READV: return readv(empty[0], &area, 1);
    case SPLICE: return splice(spliced[0], NULL, target[1], NULL, 10, 0);
    case TEE: return tee(teed[0], target[1], 10, 0);
    case SENDFILE: return sendfile(sent_full[1], source, NULL, 1);
    case EPOLL: {
      struct epoll_event event;
      struct timespec time = {600, 0};
      return epoll_pwait2(epoll_fd, &event, 1, &time, NULL);
    }
    case POLL: {
      struct pollfd one = {.fd = stream[0], .events = POLLIN};
      struct timespec time = {600, 0};
      return ppoll(&one, 1, &time, NULL);
    }
    case FUTEX: {
      struct timespec time;
      clock_gettime(CLOCK_MONOTONIC, &time);
      time.tv_sec += 600;
      return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &time, NULL, FUTEX_BITSET_MATCH_ANY);
    }
    default: return recv(stream[0], buffer, 1, MSG_PEEK);
  }
}
static void *body(void *argument) {
  int kind = (int)(intptr_t)argument;
  begun[kind] = 1;
  long result = body_of(kind);
  int error = errno;
  CHECK(result >= 0, "%s gave %s", names[kind], strerror(error));
  done[kind] = 1;
  return NULL;
}
static void fill(int fd) {
  char block[4096] = {0};
  fcntl(fd, F_SETFL, O_NONBLOCK);
  while (write(fd, block, sizeof block) > 0) {
  }
  fcntl(fd, F_SETFL, 0);
}
static void drain(int fd) {
  char block[4096];
  CHECK(read(fd, block, sizeof block) == sizeof block, "read of a full pipe");
}
static void on_signal(int number) { (void)number; }
static pid_t sleeper(void) {
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    for (;;) pause();
  }
  return child;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGRTMIN, &action, NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "listener"};
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 4) == 0, "listen");
  CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, stream) == 0, "socketpair");
  for (int i = 0; i < 2; i++) children[i] = sleeper();
  // The record lock is a child's, the others are of other descriptions of this process.
  int holder = open("whole", O_RDWR | O_CREAT, 0644), ofd_holder = open("ofd", O_RDWR | O_CREAT, 0644);
  lock_fd = open("whole", O_RDWR);
  ofd_fd = open("ofd", O_RDWR);
  record_fd = open("record", O_RDWR | O_CREAT, 0644);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 100};
  CHECK(flock(holder, LOCK_EX) == 0 && fcntl(ofd_holder, F_OFD_SETLK, &lock) == 0, "locks");
  int told[2], release[2];
  CHECK(pipe(told) == 0 && pipe(release) == 0, "pipe");
  pid_t locker = fork();
  if (locker == 0) {
    probe_end_with_parent();
    char byte = 0;
    if (fcntl(record_fd, F_SETLK, &lock) != 0 || write(told[1], &byte, 1) != 1 || read(release[0], &byte, 1) != 1) _exit(1);
    _exit(0);
  }
  char byte = 0;
  CHECK(read(told[0], &byte, 1) == 1 && mkfifo("fifo", 0600) == 0, "a lock of the child");
  counter = eventfd(0, 0);
  watch = inotify_init();
  CHECK(inotify_add_watch(watch, "whole", IN_ATTRIB) >= 0, "inotify_add_watch");
  CHECK(pipe(full) == 0 && pipe(empty) == 0 && pipe(spliced) == 0 && pipe(teed) == 0 && pipe(target) == 0 && pipe(sent_full) == 0, "pipe");
  fill(full[1]);
  fill(sent_full[1]);
  source = open("source", O_RDWR | O_CREAT, 0644);
  CHECK(ftruncate(source, 100) == 0, "ftruncate");
  epoll_fd = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, stream[0], &event);
  pthread_t threads[KINDS];
  for (intptr_t i = 0; i < KINDS; i++) pthread_create(&threads[i], NULL, body, (void *)i);
  for (int i = 0; i < KINDS; i++) WAIT_UNTIL(begun[i], "%s does not begin", names[i]);
  probe_sleep_ms(50);
  probe_hold();
  probe_sleep_ms(20);
  for (int i = 0; i < KINDS; i++) CHECK(!done[i], "%s ended by itself", names[i]);
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0, "connect");
  CHECK(write(datagrams[1], "x", 1) == 1 && write(stream[1], "x", 1) == 1, "write to sockets");
  for (int i = 0; i < 2; i++) kill(children[i], SIGKILL);
  CHECK(flock(holder, LOCK_UN) == 0, "unlock");
  lock.l_type = F_UNLCK;
  CHECK(fcntl(ofd_holder, F_OFD_SETLK, &lock) == 0 && write(release[1], "x", 1) == 1, "unlock");
  int fifo = open("fifo", O_WRONLY);
  uint64_t one = 1;
  CHECK(fifo >= 0 && write(counter, &one, 8) == 8 && fchmod(holder, 0600) == 0, "fifo, eventfd, inotify");
  drain(full[0]);
  drain(sent_full[0]);
  CHECK(write(empty[1], "x", 1) == 1 && write(spliced[1], "x", 1) == 1 && write(teed[1], "x", 1) == 1, "write to pipes");
  word = 1;
  for (int i = 0; i < 5000 && !done[FUTEX]; i++) {
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    probe_sleep_ms(1);
  }
  for (int i = 0; i < KINDS; i++) WAIT_UNTIL(done[i], "%s does not end", names[i]);
  for (int i = 0; i < KINDS; i++) pthread_join(threads[i], NULL);
  int status;
  CHECK(waitpid(locker, &status, 0) == locker && status == 0, "the child with the lock");
  return probe_ok();
}
