// A folder of which a restarted run has some files in the run folder and others below: telldir and seekdir in either part, and at the end.
// bits: 64, 32
// sabotage: poke @count
#include "../probe.h"
#include <dirent.h>

enum { COUNT = 120 };
static int count = COUNT;

static struct dirent *next(DIR *stream) {
  struct dirent *entry;
  do entry = readdir(stream);
  while (entry && entry->d_name[0] == '.');
  return entry;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char name[64];
  CHECK(mkdir("folder", 0755) == 0, "mkdir");
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "folder/e%03d", i);
    close(open(name, O_WRONLY | O_CREAT, 0644));
  }
  probe_note("count", (uintptr_t)&count);
  probe_hold();
  // Some get versions in the run folder, some are new, one is removed.
  for (int i = 0; i < COUNT; i += 3) {
    snprintf(name, sizeof name, "folder/e%03d", i);
    close(open(name, O_WRONLY | O_APPEND));
  }
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "folder/e%03d", COUNT + i);
    close(open(name, O_WRONLY | O_CREAT, 0644));
  }
  (void)unlink("folder/e001");
  count += 9;
  static char names[COUNT + 20][32];
  static long places[COUNT + 20];
  char seen[COUNT + 20] = {0};
  DIR *stream = opendir("folder");
  struct dirent *entry;
  int found = 0;
  CHECK(stream != NULL, "opendir");
  for (places[0] = telldir(stream); found < COUNT + 19 && (entry = next(stream)); places[found] = telldir(stream)) {
    int index = atoi(entry->d_name + 1);
    CHECK(index >= 0 && index < COUNT + 10 && seen[index]++ == 0, "%s is there twice", entry->d_name);
    snprintf(names[found++], sizeof names[0], "%s", entry->d_name);
  }
  CHECK(found == count, "%d entries of %d", found, count);
  for (int i = found; i >= 0; i -= 7) {
    seekdir(stream, places[i]);
    CHECK(telldir(stream) != -1, "telldir");
    for (int j = i; j < i + 3; j++) {
      entry = next(stream);
      CHECK(j < found ? entry && strcmp(entry->d_name, names[j]) == 0 : entry == NULL, "at %d is %s", j, entry ? entry->d_name : "nothing");
    }
  }
  rewinddir(stream);
  for (found = 0; next(stream);) found++;
  CHECK(found == count && closedir(stream) == 0, "%d entries of %d again", found, count);
  for (int i = 0; i < 10; i++) {
    snprintf(name, sizeof name, "folder/e%03d", COUNT + i);
    CHECK(unlink(name) == 0, "unlink");
  }
  return probe_ok();
}
