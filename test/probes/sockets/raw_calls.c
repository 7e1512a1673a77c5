// Who is at the other end, asked by syscall(2): SO_PEERCRED, SO_PEERPIDFD and SCM_CREDENTIALS, of another process.
// sabotage: call close @pair
// alone: it has names that are no paths
#include "../probe.h"
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static pid_t pid_behind(int pidfd) {
  char path[64], line[128];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  FILE *file = fopen(path, "r");
  int found = 0;
  while (file && fgets(line, sizeof line, file)) sscanf(line, "Pid: %d", &found);
  if (file) fclose(file);
  return found;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path + 1, 64, "cairn-raw-%d", getpid());
  socklen_t length = sizeof name;
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), on = 1, go[2];
  CHECK(bind(listener, (struct sockaddr *)&name, length) == 0 && listen(listener, 1) == 0 && pipe(go) == 0, "listen");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;
    if (connect(fd, (struct sockaddr *)&name, length) || write(fd, "a", 1) != 1) _exit(1);
    _exit(read(go[0], &byte, 1) == 1 && write(fd, "b", 1) == 1 && read(go[0], &byte, 1) == 1 ? 3 : 2);
  }
  int fd = accept(listener, NULL, NULL);
  probe_note("pair", (uint64_t)fd);
  char byte;
  CHECK(fd >= 0 && read(fd, &byte, 1) == 1 && setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0, "accept");
  probe_hold();
  struct ucred peer;
  socklen_t size = sizeof peer;
  CHECK(syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == child, "SO_PEERCRED gives %d, not %d", peer.pid, child);
  int pidfd = -1;
  size = sizeof pidfd;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == 0) CHECK(pid_behind(pidfd) == child, "SO_PEERPIDFD leads to %d, not %d", pid_behind(pidfd), child);
  CHECK(write(go[1], "g", 1) == 1, "write");
  char control[128];
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  CHECK(syscall(SYS_recvmsg, fd, &message, 0) == 1 && byte == 'b', "recvmsg");
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  CHECK(header && header->cmsg_type == SCM_CREDENTIALS && ((struct ucred *)CMSG_DATA(header))->pid == child, "SCM_CREDENTIALS");
  int status = 0;
  CHECK(write(go[1], "g", 1) == 1 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3, "the child gave %x", (unsigned)status);
  return probe_ok();
}
