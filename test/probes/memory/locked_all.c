// mlockall: what is mapped after a restart is locked at once, as before.
// sabotage: call munlockall
// churn: VmLck
#include "../probe.h"

static long status_kb(const char *field) {
  // By no memory that comes and goes.
  static char text[8192];
  int file = open("/proc/self/status", O_RDONLY);
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  text[size > 0 ? size : 0] = 0;
  const char *line = strstr(text, field);
  return line ? atol(line + strlen(field)) : -1;
}

static void check(const char *when) {
  long before = status_kb("VmLck:");
  char *area = (char *)mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(area != MAP_FAILED, "mmap %s", when);
  CHECK(status_kb("VmLck:") == before + 1024, "new memory is not locked %s: %ld KB, %ld before", when, status_kb("VmLck:"), before);
  unsigned char resident[256];
  CHECK(mincore(area, 1 << 20, resident) == 0 && (resident[0] & 1) && (resident[255] & 1), "new memory is not there %s", when);
  munmap(area, 1 << 20);
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  if (mlockall(MCL_FUTURE) == -1) SKIP("mlockall is not allowed");
  char *area = (char *)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) SKIP("locked memory is limited");
  check("at first");
  probe_hold();
  check("after it");
  CHECK(munlockall() == 0 && status_kb("VmLck:") == 0, "munlockall leaves %ld KB", status_kb("VmLck:"));
  return probe_ok();
}
