// /dev/null, /dev/zero and /dev/urandom, and files of /proc that speak of the process itself, stay open.
// sabotage: call dup2 @zero @random
#include "../probe.h"

int main(int argc, char **argv) {
  probe_init(argc, argv);
  int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY), random = open("/dev/urandom", O_RDONLY);
  int status = open("/proc/self/status", O_RDONLY), maps = open("/proc/self/maps", O_RDONLY);
  CHECK(null >= 0 && zero >= 0 && random >= 0 && status >= 0 && maps >= 0, "open");
  probe_note("zero", (uint64_t)zero);
  probe_note("random", (uint64_t)random);
  probe_hold();
  char bytes[64], more[64], text[8192];
  CHECK(write(null, bytes, 64) == 64 && read(null, bytes, 1) == 0, "/dev/null");
  memset(bytes, 1, sizeof bytes);
  CHECK(read(zero, bytes, 64) == 64 && probe_nonzero(bytes, 64) == -1, "/dev/zero");
  CHECK(read(random, bytes, 64) == 64 && read(random, more, 64) == 64 && memcmp(bytes, more, 64) != 0, "/dev/urandom");
  ssize_t got = read(status, text, sizeof text - 1);
  CHECK(got > 100, "/proc/self/status");
  text[got] = 0;
  unsigned long lines = strstr(text, "VmSize:") ? strtoul(strstr(text, "VmSize:") + 7, NULL, 10) : 0;
  CHECK(lines > 0, "/proc/self/status is of a dead process");
  char address[32];
  snprintf(address, sizeof address, "[stack]");
  int found = 0;
  size_t kept = 0;
  while ((got = read(maps, text + kept, sizeof text - 1 - kept)) > 0) {
    text[kept + (size_t)got] = 0;
    if (strstr(text, address)) found = 1;
    kept = 16;
    memmove(text, text + strlen(text) - 16, 16);
  }
  CHECK(found, "/proc/self/maps has no stack");
  return probe_ok();
}
