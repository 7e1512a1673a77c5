// Two hundred open files, with gaps between their numbers.
// sabotage: call close @one
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int fds[200];
  char name[32], text[32];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "file%03d", i);
    fds[i] = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fds[i] >= 0 && write(fds[i], name, 7) == 7 && lseek(fds[i], i % 7, SEEK_SET) == i % 7, "open %d", i);
  }
  for (int i = 0; i < 200; i += 3) close(fds[i]), fds[i] = -1;
  probe_note("one", (uint64_t)fds[100]);
  probe_hold();
  for (int i = 0; i < 200; i++) {
    if (fds[i] < 0) continue;
    snprintf(name, sizeof name, "file%03d", i);
    memset(text, 0, sizeof text);
    CHECK(lseek(fds[i], 0, SEEK_CUR) == i % 7, "offset of file %d", i);
    CHECK(pread(fds[i], text, 20, 0) == 7 && strcmp(text, name) == 0, "content of file %d", i);
  }
  int lowest = open("/dev/null", O_RDONLY);
  CHECK(lowest >= 0 && lowest < fds[1], "the lowest free descriptor is %d", lowest);
  return probe_ok();
}
