// Folders in which an open file, a named pipe or a socket lies: a restart, which makes those anew in the run folder, leaves the folders the
// modes that they had. Who keeps a socket in a folder of its own looks whether others may enter it.
// bits: 64, 32
// sabotage: call close @file
#include "../probe.h"
#include <sys/socket.h>
#include <sys/un.h>

static const struct { const char *folder; mode_t mode; } folders[] = {{"private", 0700}, {"private/deep", 0710}, {"pipes", 03770}, {"sockets", 01700}};

int main(int argc, char **argv) {
  probe_init(argc, argv);
  umask(022);
  for (int i = 0; i < 4; i++) CHECK(mkdir(folders[i].folder, 0755) == 0 && chmod(folders[i].folder, folders[i].mode) == 0, "mkdir %s", folders[i].folder);
  int file = open("private/deep/log", O_RDWR | O_CREAT | O_APPEND, 0644);
  CHECK(file >= 0 && write(file, "begun\n", 6) == 6, "file");
  CHECK(mkfifo("pipes/named", 0600) == 0, "mkfifo");
  int pipe = open("pipes/named", O_RDWR);
  struct sockaddr_un name = {AF_UNIX, "sockets/server"};
  int server = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(pipe >= 0 && server >= 0 && bind(server, (struct sockaddr *)&name, sizeof name) == 0 && listen(server, 4) == 0, "pipe and socket");
  probe_note("file", (uint64_t)file);
  probe_hold();
  for (int i = 0; i < 4; i++) {
    struct stat status;
    CHECK(stat(folders[i].folder, &status) == 0 && S_ISDIR(status.st_mode), "%s is not there", folders[i].folder);
    CHECK((status.st_mode & 07777) == folders[i].mode, "%s has mode %o", folders[i].folder, status.st_mode & 07777);
    CHECK(status.st_uid == geteuid(), "%s has owner %d", folders[i].folder, (int)status.st_uid);
  }
  CHECK(write(file, "more\n", 5) == 5 && access("private/deep/log", W_OK) == 0, "the file");
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0, "the socket");
  return probe_ok();
}
