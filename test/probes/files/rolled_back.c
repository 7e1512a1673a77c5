// Files that change after the checkpoint (grown, truncated, overwritten, renamed over, removed) are back in a restart.
// The check makes these changes: the second restart of a snapshot sees them if anything was shared.
// sabotage: call ftruncate @log 2
#include "../probe.h"

static char text[64];
static const char *content(int fd) {
  memset(text, 0, sizeof text);
  CHECK(pread(fd, text, 60, 0) >= 0, "pread");
  return text;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mkdir("sub", 0755);
  int log = open("log", O_RDWR | O_CREAT | O_TRUNC, 0644), cut = open("cut", O_RDWR | O_CREAT | O_TRUNC, 0644);
  int over = open("over", O_RDWR | O_CREAT | O_TRUNC, 0644), removed = open("sub/removed", O_RDWR | O_CREAT | O_TRUNC, 0644);
  CHECK(log >= 0 && cut >= 0 && over >= 0 && removed >= 0, "open");
  int all[] = {log, cut, over, removed};
  for (int i = 0; i < 4; i++) CHECK(write(all[i], "as at the checkpoint", 20) == 20, "write");
  probe_note("log", (uint64_t)log);
  probe_hold();
  struct stat status;
  for (int i = 0; i < 4; i++) {
    CHECK(fstat(all[i], &status) == 0 && status.st_size == 20, "file %d has %ld bytes", i, (long)status.st_size);
    CHECK(strcmp(content(all[i]), "as at the checkpoint") == 0, "file %d holds '%s'", i, text);
    CHECK(lseek(all[i], 0, SEEK_CUR) == 20, "offset of file %d", i);
  }
  CHECK(stat("sub/removed", &status) == 0, "the file has no name");
  CHECK(write(log, " and more", 9) == 9 && ftruncate(cut, 4) == 0, "changes");
  CHECK(pwrite(over, "XXXX", 4, 3) == 4, "pwrite");
  CHECK(unlink("sub/removed") == 0, "unlink");
  CHECK(access("sub/removed", F_OK) == -1, "the removed file is still there");
  CHECK(strcmp(content(log), "as at the checkpoint and more") == 0, "after the change it holds '%s'", text);
  CHECK(strcmp(content(over), "as XXXXhe checkpoint") == 0, "after the change it holds '%s'", text);
  return probe_ok();
}
