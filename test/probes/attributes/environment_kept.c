// The array of the environment and its entries stay where they are, also where Cairn changes variables of its own.
// other user: not the same runtime folder, which LD_PRELOAD names
// sabotage: poke @value
#include "../probe.h"
extern char **environ;

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char **array = environ;
  int count = 0;
  while (environ[count]) count++;
  char **entries = (char **)calloc((size_t)count + 1, sizeof *entries);
  memcpy(entries, environ, ((size_t)count + 1) * sizeof *entries);
  probe_note("value", (uint64_t)(uintptr_t)array);
  probe_hold();
  CHECK(environ == array, "another array");
  for (int i = 0; i <= count; i++) CHECK(environ[i] == entries[i], "another entry for %s", entries[i]);
  return probe_ok();
}
