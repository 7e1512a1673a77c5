// inotify on files that the program writes itself: a restart makes them anew, with other inodes, in the run folder; a later checkpoint
// knows their paths all the same, and the watches are those of before.
// sabotage: call close @instance
// attached: the path of one of its watches is not known
#include "../probe.h"
#include <sys/inotify.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int log = open("watched.log", O_RDWR | O_CREAT | O_TRUNC, 0644), other = open("watched.other", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(log >= 0 && other >= 0 && write(log, "begun\n", 6) == 6 && write(other, "begun\n", 6) == 6, "files");
  int fd = inotify_init1(IN_NONBLOCK);
  int on_log = inotify_add_watch(fd, "watched.log", IN_MODIFY), on_other = inotify_add_watch(fd, "watched.other", IN_ATTRIB);
  CHECK(on_log == 1 && on_other == 2, "watches %d %d", on_log, on_other);
  probe_note("instance", (uint64_t)fd);
  probe_hold();
  char buffer[4096] __attribute__((aligned(8)));
  CHECK(read(fd, buffer, sizeof buffer) == -1 && errno == EAGAIN, "there are events of the restart");
  struct inotify_event *event = (struct inotify_event *)buffer;
  CHECK(write(log, "more\n", 5) == 5 && read(fd, buffer, sizeof buffer) == sizeof *event, "no event of the log");
  CHECK(event->wd == on_log && event->mask == IN_MODIFY, "watch %d, mask %x", event->wd, event->mask);
  CHECK(fchmod(other, 0600) == 0 && read(fd, buffer, sizeof buffer) == sizeof *event, "no event of the other file");
  CHECK(event->wd == on_other && event->mask == IN_ATTRIB, "watch %d, mask %x", event->wd, event->mask);
  CHECK(inotify_add_watch(fd, "watched.log", IN_MODIFY) == on_log, "the same file has another number");
  return probe_ok();
}
