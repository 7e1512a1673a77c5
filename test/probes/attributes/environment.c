// The environment: set, changed and removed variables, and those that the program was started with.
// other user: not the same runtime folder, which LD_PRELOAD names
// sabotage: poke @value
#include "../probe.h"
extern char **environ;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  CHECK(getenv("PATH"), "no PATH");
  char *path = strdup(getenv("PATH"));
  setenv("PROBE_SET", "set before", 1);
  setenv("PROBE_EMPTY", "", 1);
  setenv("PROBE_GONE", "x", 1);
  unsetenv("PROBE_GONE");
  static char put[] = "PROBE_PUT=by putenv";
  putenv(put);
  int count = 0, count_after = 0;
  for (char **entry = environ; *entry; entry++) count++;
  probe_note("value", (uint64_t)(uintptr_t)getenv("PROBE_SET"));
  probe_hold();
  CHECK(getenv("PROBE_SET") && strcmp(getenv("PROBE_SET"), "set before") == 0, "PROBE_SET is %s", getenv("PROBE_SET"));
  CHECK(getenv("PROBE_EMPTY") && !*getenv("PROBE_EMPTY"), "PROBE_EMPTY");
  CHECK(!getenv("PROBE_GONE"), "PROBE_GONE is back");
  CHECK(getenv("PROBE_PUT") == put + 10, "PROBE_PUT is not where putenv left it");
  CHECK(strcmp(getenv("PATH"), path) == 0, "PATH changed");
  for (char **entry = environ; *entry; entry++) count_after++;
  CHECK(count == count_after, "%d variables, were %d", count_after, count);
  CHECK(setenv("PROBE_SET", "a much longer value than before, which does not fit in place", 1) == 0 && strlen(getenv("PROBE_SET")) > 40, "setenv");
  return probe_ok();
}
