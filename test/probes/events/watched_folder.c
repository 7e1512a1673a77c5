// inotify on folders below the working folder: what the program does in them after a restart is in the run folder, and is seen all the same,
// by the watches of before and by new ones; also below a folder of which the run folder has nothing yet.
// overtaken: the files of the run that goes on are there for a restart, which then makes none
// sabotage: call close @instance
// attached: the path of one of its watches is not known
#include "../probe.h"
#include <sys/inotify.h>
#include <sys/wait.h>

static void expect(int fd, int watch, uint32_t mask, const char *name) {
  static char left[4096] __attribute__((aligned(8)));
  static ssize_t size, at;
  if (at >= size) {
    size = read(fd, left, sizeof left);
    at = 0;
    CHECK(size > 0, "no event %x of %s", mask, name);
  }
  struct inotify_event *event = (struct inotify_event *)(left + at);
  at += (ssize_t)(sizeof *event + event->len);
  CHECK(event->wd == watch && event->mask == mask && strcmp(event->name, name) == 0, "watch %d, mask %x, %s; not %d, %x, %s", event->wd, event->mask, event->name, watch, mask, name);
}

static void elsewhere(void (*act)(void)) {
  pid_t child = fork();
  if (child == 0) {
    act();
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child gave %x", status);
}
static void make(void) { close(open("watched/made", O_CREAT | O_WRONLY, 0600)); }
static void move(void) { (void)!rename("watched/made", "watched/deep/moved"); }
static void delete(void) { (void)!unlink("watched/deep/moved"); }

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(mkdir("watched", 0700) == 0 && mkdir("watched/deep", 0755) == 0 && mkdir("later", 0755) == 0, "mkdir");
  int fd = inotify_init1(IN_NONBLOCK), other = inotify_init1(IN_NONBLOCK);
  int here = inotify_add_watch(fd, "watched", IN_CREATE | IN_DELETE | IN_MOVE), deep = inotify_add_watch(fd, "watched/deep", IN_CREATE | IN_DELETE | IN_MOVE);
  CHECK(here == 1 && deep == 2, "watches");
  probe_note("instance", (uint64_t)fd);
  probe_hold();
  char bytes[256];
  CHECK(read(fd, bytes, sizeof bytes) == -1 && errno == EAGAIN, "there are events of the restart");
  elsewhere(make);
  expect(fd, here, IN_CREATE, "made");
  elsewhere(move);
  expect(fd, here, IN_MOVED_FROM, "made");
  expect(fd, deep, IN_MOVED_TO, "moved");
  elsewhere(delete);
  expect(fd, deep, IN_DELETE, "moved");
  int later = inotify_add_watch(other, "later", IN_CREATE);
  close(open("later/file", O_CREAT | O_WRONLY, 0600));
  expect(other, later, IN_CREATE, "file");
  CHECK(unlink("later/file") == 0 && inotify_rm_watch(fd, deep) == 0 && inotify_add_watch(fd, "watched", IN_CREATE) == here, "the same folder has another number");
  struct stat status;
  CHECK(stat("watched", &status) == 0 && (status.st_mode & 0777) == 0700, "mode %o", status.st_mode);
  return probe_ok();
}
