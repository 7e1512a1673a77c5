// Folders that are being read: telldir, seekdir, and the place of getdents64 itself; entries that were made and removed since.
// sabotage: call lseek @raw 0 0
#include "../probe.h"
#include <dirent.h>

enum { COUNT = 300 };
static int next_entry(int fd, char *name, size_t size) {
  // One at a time: the buffer has room for no more.
  char buffer[40];
  long got = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
  if (got <= 0) return 0;
  snprintf(name, size, "%s", ((struct dirent64 *)buffer)->d_name);
  return 1;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mkdir("folder", 0755);
  char name[64], found[64];
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "folder/e%03d", i);
    close(open(name, O_WRONLY | O_CREAT, 0644));
  }
  DIR *stream = opendir("folder");
  int raw = open("folder", O_RDONLY | O_DIRECTORY);
  CHECK(stream && raw >= 0, "open of the folder");
  struct dirent *entry;
  long place = 0;
  char at_place[64] = "";
  for (int i = 0; i < 200 && (entry = readdir(stream)); i++) {
    if (i == 99) place = telldir(stream);
    if (i == 100) snprintf(at_place, sizeof at_place, "%s", entry->d_name);
  }
  char seen[COUNT] = {0};
  for (int i = 0; i < 120; i++) {
    CHECK(next_entry(raw, found, sizeof found), "getdents64");
    int index;
    if (sscanf(found, "e%d", &index) == 1) seen[index]++;
  }
  probe_note("raw", (uint64_t)raw);
  probe_hold();
  seekdir(stream, place);
  entry = readdir(stream);
  CHECK(entry && strcmp(entry->d_name, at_place) == 0, "seekdir goes to %s, not to %s", entry ? entry->d_name : "the end", at_place);
  while (next_entry(raw, found, sizeof found)) {
    int index;
    if (sscanf(found, "e%d", &index) == 1) seen[index]++;
  }
  for (int i = 0; i < COUNT; i++) CHECK(seen[i] == 1, "getdents64 gave e%03d %d times", i, seen[i]);
  CHECK(lseek(raw, 0, SEEK_SET) == 0, "lseek");
  int count = 0;
  while (next_entry(raw, found, sizeof found)) count += found[0] == 'e';
  CHECK(count == COUNT, "%d entries from the beginning", count);
  closedir(stream);
  return probe_ok();
}
