// inotify: watches under their numbers, with a gap where one was removed; what happens after the checkpoint is told, and nothing of
// the restart itself.
// alone: all runs see what happens in its folder, which is outside of the working folder
// other user: not allowed to write where the first user had a folder of its own
// sabotage: call close @instance
// attached: the path of one of its watches is not known
#include "../probe.h"
#include <sys/inotify.h>

static void touch(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "write %s", path);
}
// The next event: its watch, mask and name.
static void expect(int fd, int watch, uint32_t mask, const char *name) {
  static char buffer[4096] __attribute__((aligned(8)));
  static ssize_t size, at;
  if (at == size) {
    size = read(fd, buffer, sizeof buffer);
    at = 0;
    CHECK(size > 0, "no event; wanted %s", name);
  }
  struct inotify_event *event = (struct inotify_event *)(buffer + at);
  at += (ssize_t)(sizeof *event + event->len);
  CHECK(event->wd == watch && (event->mask & mask) != 0 && strcmp(event->len ? event->name : "", name) == 0,
        "watch %d mask %x name '%s', wanted watch %d mask %x name '%s'", event->wd, event->mask, event->len ? event->name : "", watch, mask, name);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char folder[200], path[256];
  CHECK(mkdtemp(probe_outside(folder, sizeof folder, "watches-XXXXXX")) != NULL, "mkdtemp");
  int fd = inotify_init1(IN_NONBLOCK), second = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  snprintf(path, sizeof path, "%s/seen", folder);
  touch(path);
  int whole = inotify_add_watch(fd, folder, IN_CREATE | IN_DELETE), gone = inotify_add_watch(fd, "/tmp", IN_CREATE | IN_ONLYDIR);
  int file = inotify_add_watch(fd, path, IN_MODIFY), other = inotify_add_watch(second, path, IN_ATTRIB);
  CHECK(whole == 1 && gone == 2 && file == 3 && other == 1 && inotify_rm_watch(fd, gone) == 0, "watches %d %d %d", whole, gone, file);
  expect(fd, gone, IN_IGNORED, "");
  probe_note("instance", (uint64_t)fd);
  probe_hold();
  char none[256];
  CHECK(read(fd, none, sizeof none) == -1 && errno == EAGAIN, "there are events of the restart");
  CHECK(fcntl(fd, F_GETFL) == (O_RDONLY | O_NONBLOCK) && fcntl(second, F_GETFD) == FD_CLOEXEC, "flags");
  char made[300];
  snprintf(made, sizeof made, "%s/made", folder);
  touch(made);
  expect(fd, whole, IN_CREATE, "made");
  touch(path);
  expect(fd, file, IN_MODIFY, "");
  CHECK(chmod(path, 0640) == 0, "chmod");
  CHECK(read(second, none, sizeof none) > 0, "the second instance tells nothing");
  CHECK(unlink(made) == 0, "unlink");
  expect(fd, whole, IN_DELETE, "made");
  CHECK(inotify_add_watch(fd, folder, IN_CREATE | IN_DELETE | IN_MOVE) == whole, "the same folder has another number");
  // Other runs of this probe find it as this one did.
  CHECK(chmod(path, 0600) == 0, "chmod");
  return probe_ok();
}
