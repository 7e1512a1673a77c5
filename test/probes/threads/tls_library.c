// Thread-local storage of a library loaded by dlopen: values live on, and threads made afterwards get fresh ones.
// library: tlslib
// flags: -ldl
// sabotage: poke @cell
#include "../probe.h"
#include <dlfcn.h>

static uint64_t (*add)(uint64_t);
static int (*touched)(uint64_t);
static volatile int stop, started;

static void *body(void *argument) {
  uint64_t amount = (uint64_t)(uintptr_t)argument;
  add(amount);
  __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
  while (!stop) probe_sleep_ms(3);
  CHECK(touched(amount), "the thread's array was lost");
  CHECK(add(1) == 0x7715 + amount + 1, "the thread's counter is %llx", (unsigned long long)add(0));
  return NULL;
}

int main(int argc, char **argv) {
  probe_init(argc, argv);
  char path[4096];
  snprintf(path, sizeof path, "%s/libtlslib.so", probe_libraries);
  void *library = dlopen(path, RTLD_NOW);
  CHECK(library, "dlopen: %s", dlerror());
  add = (uint64_t(*)(uint64_t))dlsym(library, "tlslib_add");
  touched = (int (*)(uint64_t))dlsym(library, "tlslib_touched");
  add(7);
  static uint64_t cell = 55;
  probe_note("cell", (uint64_t)(uintptr_t)&cell);
  pthread_t threads[4], late;
  for (uintptr_t i = 0; i < 4; i++) pthread_create(&threads[i], NULL, body, (void *)(i * 100 + 20));
  WAIT_UNTIL(started == 4, "not all threads started");
  probe_hold();
  CHECK(cell == 55, "a value of the main program");
  CHECK(add(0) == 0x7715 + 7 && touched(7), "the main thread's values");
  CHECK(pthread_create(&late, NULL, body, (void *)9) == 0, "pthread_create");
  stop = 1;
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  pthread_join(late, NULL);
  CHECK(dlclose(library) == 0, "dlclose: %s", dlerror());
  return probe_ok();
}
