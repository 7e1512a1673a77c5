// A listening Unix socket in the working folder of the computation, of a process that has gone to another one: a restart has it in the run
// folder, under its name, where all of the run find it, list it and remove it.
// sabotage: poke @name
#include "../probe.h"
#include <dirent.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static struct sockaddr_un name = {.sun_family = AF_UNIX};

static int listed(const char *wanted) {
  DIR *stream = opendir("deep");
  CHECK(stream != NULL, "opendir");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(stream));) count += strcmp(entry->d_name, wanted) == 0;
  closedir(stream);
  return count;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char folder[80];
  int ready[2];
  CHECK(getcwd(folder, sizeof folder) != NULL && pipe(ready) == 0 && mkdir("deep", 0700) == 0, "set-up");
  snprintf(name.sun_path, sizeof name.sun_path, "%s/deep/socket", folder);
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (chdir("deep") != 0 || bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 4) != 0) _exit(1);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) {
      int accepted = accept(listener, NULL, NULL);
      pid_t self = getpid();
      if (accepted >= 0 && write(accepted, &self, sizeof self) == sizeof self) close(accepted);
    }
  }
  char byte;
  CHECK(read(ready[0], &byte, 1) == 1, "the child");
  probe_note("name", (uintptr_t)&name.sun_path[1]);
  probe_hold();
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  pid_t server = 0;
  struct stat status;
  CHECK(stat(name.sun_path, &status) == 0 && S_ISSOCK(status.st_mode) && listed("socket") == 1, "the socket's name");
  CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0 && read(client, &server, sizeof server) == sizeof server, "connect");
  CHECK(server == child, "another server answers: %d", server);
  CHECK(unlink("deep/socket") == 0 && listed("socket") == 0 && rmdir("deep") == 0, "remove");
  return probe_ok();
}
