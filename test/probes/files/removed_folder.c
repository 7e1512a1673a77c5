// A working folder that was removed, and another folder that is open and was: they are there without a name again, also of a child.
// bits: 64, 32
// sabotage: call close @folder
#include "../probe.h"
#include <dirent.h>
#include <limits.h>
#include <sys/wait.h>

static int is_removed(void) {
  char path[PATH_MAX];
  return getcwd(path, sizeof path) == NULL && errno == ENOENT && open("file", O_CREAT | O_WRONLY, 0600) == -1 && errno == ENOENT;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char before[PATH_MAX], after[PATH_MAX];
  int ends[2], go[2];
  CHECK(getcwd(before, sizeof before) != NULL && pipe(ends) == 0 && pipe(go) == 0, "set-up");
  CHECK(mkdir("here", 0755) == 0 && mkdir("open", 0755) == 0, "mkdir");
  int parent = open(".", O_RDONLY | O_DIRECTORY), folder = open("open", O_RDONLY | O_DIRECTORY);
  CHECK(parent >= 0 && folder >= 0 && chdir("here") == 0 && rmdir("../here") == 0 && rmdir("../open") == 0, "remove");
  pid_t child = fork();
  if (child == 0) {
    probe_end_with_parent();
    char byte;
    _exit(read(go[0], &byte, 1) == 1 && is_removed() ? 0 : 1);
  }
  probe_note("folder", (uint64_t)folder);
  probe_hold();
  CHECK(is_removed(), "the working folder has a name");
  CHECK(write(go[1], "x", 1) == 1, "write");
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && status == 0, "the child gave %x", status);
  struct stat there;
  CHECK(fstat(folder, &there) == 0 && S_ISDIR(there.st_mode) && there.st_nlink == 0, "the open folder has %d links", (int)there.st_nlink);
  CHECK(openat(folder, "file", O_CREAT | O_WRONLY, 0600) == -1 && errno == ENOENT, "something can be made in it");
  CHECK(chdir("..") == 0 && getcwd(after, sizeof after) != NULL && strcmp(after, before) == 0, ".. is %s, was %s", after, before);
  CHECK(fchdir(parent) == 0 && getcwd(after, sizeof after) != NULL && strcmp(after, before) == 0, "the parent is %s", after);
  return probe_ok();
}
