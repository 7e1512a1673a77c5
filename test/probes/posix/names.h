// What killed runs have left under a probe's names: such objects outlive who made them.
#ifndef CAIRN_PROBE_NAMES_H
#define CAIRN_PROBE_NAMES_H
#include <dirent.h>

// Not by libc: the name that the probe's own object had may stand for another file by now.
static void probe_unlink_there(const char *path) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_unlink), "D"(path) : "rcx", "r11", "memory");
}

__attribute__((unused)) static void probe_remove_leftovers(const char *beginning) {
  DIR *folder = opendir("/dev/shm");
  char own[512];
  snprintf(own, sizeof own, "/dev/shm/%s", beginning);
  probe_unlink_there(own);
  for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
    char path[512];
    snprintf(path, sizeof path, "/dev/shm/%s", entry->d_name);
    if (strncmp(entry->d_name, beginning, strlen(beginning)) == 0) probe_unlink_there(path);
  }
  if (folder) closedir(folder);
}

#endif
