// Libraries: one loaded before the checkpoint keeps working and can be unloaded, others are loaded after it; symbols bind lazily.
// library: tlslib plain
// flags: -ldl -lm -Wl,-z,lazy
// sabotage: poke @cell
// attached: not as it was: one library more is loaded
#include "../probe.h"
#include <dlfcn.h>
#include <link.h>
#include <math.h>

static uint64_t cell = 55;
static int count_objects(struct dl_phdr_info *info, size_t size, void *data) {
  (void)info, (void)size;
  ++*(int *)data;
  return 0;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char path[4096];
  snprintf(path, sizeof path, "%s/libtlslib.so", probe_libraries);
  void *before = dlopen(path, RTLD_LAZY);
  CHECK(before, "dlopen: %s", dlerror());
  uint64_t (*add)(uint64_t) = (uint64_t(*)(uint64_t))dlsym(before, "tlslib_add");
  int objects = 0, objects_after = 0;
  dl_iterate_phdr(count_objects, &objects);
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  probe_hold();
  CHECK(cell == 55, "a static value");
  volatile double two = 2;
  CHECK(fabs(cbrt(two) - 1.2599210498948732) < 1e-15, "a function of libm that was not bound yet");
  dl_iterate_phdr(count_objects, &objects_after);
  CHECK(objects == objects_after, "%d loaded objects, were %d", objects_after, objects);
  CHECK(add(1) == 0x7716, "the library's function");
  snprintf(path, sizeof path, "%s/libplain.so", probe_libraries);
  void *after = dlopen(path, RTLD_NOW);
  CHECK(after, "dlopen: %s", dlerror());
  const char *(*word)(int) = (const char *(*)(int))dlsym(after, "plain_word");
  CHECK(strcmp(word(-1), "constructed") == 0 && strcmp(word(2), "two") == 0, "the new library's data");
  CHECK(dlclose(after) == 0 && dlclose(before) == 0, "dlclose");
  void *again = dlopen(path, RTLD_NOW);
  CHECK(again && dlsym(again, "plain_word"), "dlopen once more: %s", dlerror());
  return probe_ok();
}
