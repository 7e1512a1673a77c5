// What the process is to others: /proc/self/exe, cmdline, environ and auxv are those of the program.
// sabotage: poke @argument
// bits: 64, 32
#include "../probe.h"
#include <limits.h>
#include <sys/auxv.h>

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char before[PATH_MAX] = "", after[PATH_MAX] = "", text[8192];
  CHECK(readlink("/proc/self/exe", before, sizeof before - 1) > 0, "/proc/self/exe");
  unsigned long random_at = getauxval(AT_RANDOM), entry = getauxval(AT_ENTRY), headers = getauxval(AT_PHDR);
  unsigned char random[16];
  memcpy(random, (void *)random_at, 16);
  probe_note("argument", (uint64_t)(uintptr_t)argv[0]);
  char *first = strdup(argv[0]), *second = strdup(argv[1]);
  probe_hold();
  CHECK(readlink("/proc/self/exe", after, sizeof after - 1) > 0 && strcmp(before, after) == 0, "/proc/self/exe is %s", after);
  snprintf(text, sizeof text, "/proc/%d/exe", getpid());
  memset(after, 0, sizeof after);
  CHECK(readlink(text, after, sizeof after - 1) > 0 && strcmp(before, after) == 0, "%s is %s", text, after);
  int fd = open("/proc/self/cmdline", O_RDONLY);
  memset(text, 0, sizeof text);
  CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0, "/proc/self/cmdline");
  CHECK(strcmp(text, first) == 0 && strcmp(text + strlen(first) + 1, second) == 0, "/proc/self/cmdline is %s %s", text, text + strlen(text) + 1);
  close(fd);
  fd = open("/proc/self/environ", O_RDONLY);
  memset(text, 0, sizeof text);
  CHECK(fd >= 0 && read(fd, text, sizeof text - 1) > 0 && strchr(text, '='), "/proc/self/environ");
  close(fd);
  unsigned long pairs[128];
  fd = open("/proc/self/auxv", O_RDONLY);
  ssize_t got = read(fd, pairs, sizeof pairs);
  CHECK(fd >= 0 && got > 64, "/proc/self/auxv");
  int found = 0;
  for (int i = 0; i < got / (ssize_t)(2 * sizeof(long)); i++) {
    if (pairs[2 * i] == AT_RANDOM) found += pairs[2 * i + 1] == random_at;
    if (pairs[2 * i] == AT_ENTRY) found += pairs[2 * i + 1] == entry;
    if (pairs[2 * i] == AT_PHDR) found += pairs[2 * i + 1] == headers;
  }
  CHECK(found == 3, "/proc/self/auxv has %d of 3 expected entries", found);
  CHECK(getauxval(AT_RANDOM) == random_at && memcmp(random, (void *)random_at, 16) == 0, "AT_RANDOM");
  return probe_ok();
}
