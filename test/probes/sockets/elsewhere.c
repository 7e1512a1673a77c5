// Unix sockets with names outside of the working folder, in each of two restarts beside the run itself: everybody in a computation, by its
// memory of before, after fork and as a program executed since, reaches the computation's own sockets by the names that it knows.
// sabotage: call close @listener
#include "../probe.h"
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct sockaddr_un stream = {.sun_family = AF_UNIX}, datagram = {.sun_family = AF_UNIX};
static const struct sockaddr *given(const struct sockaddr_un *name) { return (const struct sockaddr *)name; }

/// 0, or the step that failed. `token`: what this computation's listener tells.
static int reach(const char *token) {
  char got[17] = "";
  struct sockaddr_un name = {0};
  socklen_t length = sizeof name;
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(client, given(&stream), sizeof stream) != 0) return 2;
  if (getpeername(client, (struct sockaddr *)&name, &length) != 0 || strcmp(name.sun_path, stream.sun_path) != 0) return 3;
  if (recv(client, got, 16, MSG_WAITALL) != 16 || strcmp(got, token) != 0) return 4;
  int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (sendto(sender, token, 16, 0, given(&datagram), sizeof datagram) != 16) return 5;
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 5) {
    strcpy(stream.sun_path, argv[2]), strcpy(datagram.sun_path, argv[3]);
    return reach(argv[4]);
  }
  probe_init(argc, argv);
  char own[40];
  snprintf(own, sizeof own, "%d.stream", getpid()), probe_outside(stream.sun_path, sizeof stream.sun_path, own);
  snprintf(own, sizeof own, "%d.datagram", getpid()), probe_outside(datagram.sun_path, sizeof datagram.sun_path, own);
  char *token = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), receiver = socket(AF_UNIX, SOCK_DGRAM, 0), order[2];
  CHECK(bind(listener, given(&stream), sizeof stream) == 0 && listen(listener, 5) == 0 && bind(receiver, given(&datagram), sizeof datagram) == 0, "bind");
  CHECK(pipe(order) == 0 && chmod(stream.sun_path, 0600) == 0, "pipe");
  probe_note("listener", (uint64_t)listener);
  int connected = socket(AF_UNIX, SOCK_DGRAM, 0);
  CHECK(connect(connected, given(&datagram), sizeof datagram) == 0, "connect");
  pid_t child = fork();
  if (child == 0) {
    char byte;
    probe_end_with_parent();
    close(listener), close(receiver), close(order[1]);
    if (read(order[0], &byte, 1) != 1) _exit(1);
    _exit(reach(token));
  }
  probe_hold();
  uint64_t number = 0;
  int status[3] = {-1, -1, -1};
  char text[17] = "";
  CHECK(getrandom(&number, sizeof number, 0) == sizeof number, "getrandom");
  snprintf(token, 17, "%016llx", (unsigned long long)number);
  pid_t later = fork();
  if (later == 0) _exit(reach(token));
  pid_t executed = fork();
  if (executed == 0) execl(argv[0], argv[0], argv[1], stream.sun_path, datagram.sun_path, token, NULL), _exit(1);
  pid_t who[] = {child, later, executed};
  fcntl(listener, F_SETFL, O_NONBLOCK);
  int answered = write(order[1], "x", 1) == 1, ended = 0;
  for (int wait = 0; answered && wait < 5000 && ended < 3; wait++) {
    int accepted = accept(listener, NULL, NULL);
    if (accepted >= 0 && (write(accepted, token, 16) != 16 || close(accepted) != 0)) answered = 0;
    for (int i = 0; i < 3; i++)
      if (who[i] != 0 && waitpid(who[i], &status[i], WNOHANG) == who[i]) who[i] = 0, ended++;
    if (accepted == -1) probe_sleep_ms(1);
  }
  struct stat mode;
  int has_mode = stat(stream.sun_path, &mode);
  struct sockaddr_un name = {0};
  socklen_t length = sizeof name;
  int named = getsockname(receiver, (struct sockaddr *)&name, &length);
  // Before the checks: nothing is left behind.
  int removed = unlink(stream.sun_path) + unlink(datagram.sun_path);
  for (int i = 0; i < 3; i++) CHECK(status[i] == 0, "number %d of three: status %x", i, status[i]);
  CHECK(has_mode == 0 && (mode.st_mode & 0777) == 0600, "mode %o", mode.st_mode);
  CHECK(named == 0 && strcmp(name.sun_path, datagram.sun_path) == 0, "it is named '%s'", name.sun_path);
  CHECK(removed == 0 && access(stream.sun_path, F_OK) == -1 && errno == ENOENT, "the names cannot be removed");
  for (int i = 0; i < 3; i++) CHECK(recv(receiver, text, 16, MSG_DONTWAIT) == 16 && strcmp(text, token) == 0, "datagram %d is '%s'", i, text);
  CHECK(send(connected, "to the old peer.", 16, 0) == 16 && recv(receiver, text, 16, MSG_DONTWAIT) == 16, "a connected datagram socket");
  return probe_ok();
}
