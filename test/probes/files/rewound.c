// Folders that are being read, and rewound: what was made, renamed and removed since is seen, each once; also the stream of
// a descriptor, and one that was not read yet.
// sabotage: call close @folder
// bits: 64, 32
#include "../probe.h"
#include <dirent.h>

enum { COUNT = 60 };
static int has(DIR *stream, const char *name, int *others) {
  int count = 0;
  struct dirent *entry;
  errno = 0;
  for (*others = 0; (entry = readdir(stream));)
    if (strcmp(entry->d_name, name) == 0) count++;
    else ++*others;
  CHECK(errno == 0, "readdir");
  return count;
}
static void check(DIR *stream, const char *how) {
  int others;
  CHECK(has(stream, "new", &others) == 1, "%s: what was made since is not there", how);
  // Made one, removed one; "." and ".."
  CHECK(others == COUNT + 1, "%s: %d others instead of %d", how, others, COUNT + 1);
  rewinddir(stream);
  CHECK(has(stream, "entry03", &others) == 0, "%s: what was removed is there", how);
  rewinddir(stream);
  CHECK(has(stream, "entry04", &others) == 0, "%s: what was renamed has its old name", how);
  rewinddir(stream);
  CHECK(has(stream, "renamed", &others) == 1, "%s: what was renamed is not there", how);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  mkdir("folder", 0755);
  char name[64];
  for (int i = 0; i < COUNT; i++) {
    snprintf(name, sizeof name, "folder/entry%02d", i);
    close(open(name, O_WRONLY | O_CREAT, 0644));
  }
  DIR *first = opendir("folder"), *second = opendir("folder");
  int folder = open("folder", O_RDONLY | O_DIRECTORY);
  DIR *given = fdopendir(dup(folder));
  CHECK(first && second && given && folder >= 0, "opendir");
  for (int i = 0; i < 20; i++) CHECK(readdir(first) != NULL && readdir(given) != NULL, "readdir");
  probe_note("folder", (uint64_t)folder);
  probe_hold();
  // Twice at once: each run has its own.
  if (access("folder/new", F_OK) != 0) close(open("folder/new", O_WRONLY | O_CREAT, 0644));
  CHECK(access("folder/new", F_OK) == 0, "a new file");
  unlink("folder/entry03");
  rename("folder/entry04", "folder/renamed");
  rewinddir(first);
  check(first, "rewinddir");
  rewinddir(second);
  check(second, "rewinddir of one that was not read");
  rewinddir(given);
  check(given, "rewinddir of a descriptor's");
  struct stat status;
  CHECK(fstat(folder, &status) == 0 && S_ISDIR(status.st_mode), "fstat of the folder");
  closedir(first), closedir(second), closedir(given);
  return probe_ok();
}
