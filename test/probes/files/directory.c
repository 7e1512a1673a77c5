// Open directories: openat relative to them, and readdir goes on where it was.
// sabotage: call close @folder
// bits: 64, 32
#include "../probe.h"
#include <dirent.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mkdir("folder", 0755);
  char name[64];
  for (int i = 0; i < 100; i++) {
    snprintf(name, sizeof name, "folder/entry%02d", i);
    close(open(name, O_WRONLY | O_CREAT, 0644));
  }
  int folder = open("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int path = open("folder/entry05", O_PATH);
  DIR *stream = opendir("folder");
  CHECK(folder >= 0 && path >= 0 && stream, "opendir");
  char seen[100] = {0};
  struct dirent *entry;
  int count = 0, index;
  while (count < 40 && (entry = readdir(stream)))
    if (sscanf(entry->d_name, "entry%d", &index) == 1) seen[index]++, count++;
  probe_note("folder", (uint64_t)folder);
  probe_hold();
  while ((entry = readdir(stream)))
    if (sscanf(entry->d_name, "entry%d", &index) == 1 && index < 100) seen[index]++, count++;
  for (int i = 0; i < 100; i++) CHECK(seen[i] == 1, "entry %d was seen %d times", i, seen[i]);
  rewinddir(stream);
  count = 0;
  while ((entry = readdir(stream))) count += strncmp(entry->d_name, "entry", 5) == 0;
  CHECK(count == 100, "%d entries after rewinddir", count);
  struct stat status;
  CHECK(fstatat(folder, "entry07", &status, 0) == 0, "fstatat relative to the folder");
  int made = openat(folder, "new", O_RDWR | O_CREAT, 0644);
  CHECK(made >= 0 && write(made, "x", 1) == 1, "openat relative to the folder");
  CHECK(fstatat(folder, "new", &status, 0) == 0 && status.st_size == 1, "the new file");
  CHECK(unlinkat(folder, "new", 0) == 0, "unlinkat");
  CHECK(fstat(path, &status) == 0 && S_ISREG(status.st_mode), "O_PATH descriptor");
  closedir(stream);
  return probe_ok();
}
