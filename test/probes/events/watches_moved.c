// inotify: what is watched was renamed, moved or removed since, and another file has the name by which it was watched: after a restart it is
// that file which is watched, under the same number.
// alone: all runs see what happens in its folder, which is outside of the working folder
// other user: not allowed to write where the first user had a folder of its own
// sabotage: call close @instance
// attached: the path of one of its watches is not known
#include "../probe.h"
#include <sys/inotify.h>

enum { RENAMED, MOVED, REMOVED, FOLDER, KINDS };
static const char *const names[] = {"renamed", "moved", "removed", "folder"};
static char folder[200];

static const char *in_folder(const char *name) {
  static char paths[2][256];
  static int which;
  which = !which;
  snprintf(paths[which], sizeof paths[which], "%s/%s", folder, name);
  return paths[which];
}
static void touch(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  CHECK(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0, "write %s", path);
}
static int next_watch(int fd) {
  char bytes[512] __attribute__((aligned(8)));
  return read(fd, bytes, sizeof bytes) > 0 ? ((struct inotify_event *)bytes)->wd : -1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(mkdtemp(probe_outside(folder, sizeof folder, "moved-XXXXXX")) != NULL && mkdir(in_folder("other"), 0700) == 0 && mkdir(in_folder("folder"), 0700) == 0, "folders");
  int fd = inotify_init1(IN_NONBLOCK), watch[KINDS];
  for (int i = 0; i < FOLDER; i++) touch(in_folder(names[i]));
  for (int i = 0; i < KINDS; i++) watch[i] = inotify_add_watch(fd, in_folder(names[i]), i == FOLDER ? IN_CREATE : IN_MODIFY);
  int moved = open(in_folder("moved"), O_RDWR | O_APPEND), removed = open(in_folder("removed"), O_RDWR | O_APPEND);
  CHECK(watch[FOLDER] == 4 && moved >= 0 && removed >= 0, "watches");
  CHECK(rename(in_folder("renamed"), in_folder("renamed.1")) == 0 && rename(in_folder("moved"), in_folder("other/place")) == 0, "rename");
  CHECK(unlink(in_folder("removed")) == 0 && rename(in_folder("folder"), in_folder("folder.1")) == 0, "remove");
  for (int i = 0; i < FOLDER; i++) touch(in_folder(names[i]));
  probe_note("instance", (uint64_t)fd);
  probe_hold();
  CHECK(next_watch(fd) == -1 && errno == EAGAIN, "there are events of the restart");
  for (int i = 0; i < FOLDER; i++) touch(in_folder(names[i]));
  int wrong = next_watch(fd);
  CHECK(wrong == -1, "the file that has the name now is watched as %d", wrong);
  touch(in_folder("renamed.1"));
  CHECK(next_watch(fd) == watch[RENAMED], "the renamed file is not watched");
  touch(in_folder("other/place"));
  CHECK(next_watch(fd) == watch[MOVED], "the moved file is not watched");
  CHECK(write(removed, "x", 1) == 1 && next_watch(fd) == watch[REMOVED], "the removed file is not watched");
  touch(in_folder("folder.1/made"));
  CHECK(next_watch(fd) == watch[FOLDER] && unlink(in_folder("folder.1/made")) == 0, "the renamed folder is not watched");
  return probe_ok();
}
