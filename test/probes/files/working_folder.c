// Working folder, umask and what relative names mean.
// sabotage: call umask 0
#include "../probe.h"
#include <limits.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char before[PATH_MAX], after[PATH_MAX];
  mkdir("deep", 0755);
  mkdir("deep/er", 0755);
  CHECK(chdir("deep/er") == 0 && getcwd(before, sizeof before), "chdir");
  int fd = open("here", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CHECK(fd >= 0 && write(fd, "here", 4) == 4, "write");
  umask(027);
  probe_hold();
  CHECK(getcwd(after, sizeof after) && strcmp(before, after) == 0, "working folder is %s, was %s", after, before);
  CHECK(access("here", R_OK) == 0 && access("../er/here", R_OK) == 0 && access("../../deep", R_OK) == 0, "relative names");
  CHECK(umask(027) == 027, "umask");
  struct stat status;
  unlink("made");
  fd = open("made", O_WRONLY | O_CREAT | O_EXCL, 0666);
  CHECK(fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0640, "mode of a new file is %o", status.st_mode);
  CHECK(mkdir("fresh", 0777) == 0 || errno == EEXIST, "mkdir");
  CHECK(chdir("fresh") == 0 && chdir("..") == 0 && access("made", F_OK) == 0, "chdir");
  CHECK(rename("made", "renamed") == 0 && access("renamed", F_OK) == 0 && access("made", F_OK) == -1, "rename");
  CHECK(unlink("renamed") == 0, "unlink");
  return probe_ok();
}
