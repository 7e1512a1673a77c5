// A listening Unix socket in a folder for temporary files that the program has made for it, and removes at its end: the folder is not
// there when a restart comes after that. A client connects, and the folder can be removed again.
// alone: its name outside of the working folder is there once on a host
// sabotage: call close @listener
#include "../probe.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char folder[100];
  CHECK(mkdtemp(probe_outside(folder, sizeof folder, "own-XXXXXX")) != NULL, "mkdtemp");
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", folder);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 4) == 0, "listen");
  probe_note("listener", (uint64_t)listener);
  probe_hold();
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  int connected = connect(client, (struct sockaddr *)&name, sizeof name), error = errno;
  int accepted = connected == 0 ? accept(listener, NULL, NULL) : -1;
  // Before the checks: nothing is left behind.
  int removed = unlink(name.sun_path) == 0 && rmdir(folder) == 0;
  CHECK(connected == 0, "connect: errno %d", error);
  CHECK(removed, "the folder cannot be removed");
  char byte = 0;
  CHECK(write(client, "x", 1) == 1 && read(accepted, &byte, 1) == 1 && byte == 'x', "nothing comes");
  return probe_ok();
}
