// An inotify instance that is on the way over a socket, and nowhere else: it watches again, under the same number, also what is made in
// the run folder.
// sabotage: call close @receiver
// attached: the path of one of its watches is not known
#include "../probe.h"
#include <sys/inotify.h>
#include <sys/socket.h>

union control {
  struct cmsghdr header;
  char space[CMSG_SPACE(sizeof(int))];
};

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int pair[2], instance = inotify_init1(IN_NONBLOCK);
  CHECK((mkdir("watched", 0755) == 0 || errno == EEXIST) && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "folder and sockets");
  int unused = inotify_add_watch(instance, ".", IN_CREATE);
  int number = inotify_add_watch(instance, "watched", IN_CREATE);
  CHECK(unused > 0 && number > unused && inotify_rm_watch(instance, unused) == 0, "watches");
  char ignored[256];
  CHECK(read(instance, ignored, sizeof ignored) > 0, "the event of the watch that was removed");
  union control control;
  memset(&control, 0, sizeof control);
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(&control.header), &instance, sizeof(int));
  char byte = 'x';
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  CHECK(sendmsg(pair[1], &message, 0) == 1 && close(instance) == 0, "sendmsg");
  probe_note("receiver", (uint64_t)pair[0]);
  probe_hold();
  CHECK(recvmsg(pair[0], &message, MSG_DONTWAIT) == 1 && CMSG_FIRSTHDR(&message) != NULL, "recvmsg");
  memcpy(&instance, CMSG_DATA(&control.header), sizeof(int));
  // Runs beside this one see what it makes: each has a name of its own.
  char path[64];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  snprintf(path, sizeof path, "watched/%lld-%ld", (long long)now.tv_sec, now.tv_nsec);
  int made = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);
  CHECK(made >= 0, "open");
  char events[512] __attribute__((aligned(8)));
  ssize_t size = read(instance, events, sizeof events);
  const struct inotify_event *event = (const struct inotify_event *)events;
  CHECK(size > 0, "no event of a new file");
  CHECK(event->wd == number && (event->mask & IN_CREATE) != 0 && strcmp(event->name, path + strlen("watched/")) == 0, "watch %d, events %x, %s", event->wd, event->mask, event->name);
  CHECK(unlink(path) == 0, "unlink");
  return probe_ok();
}
