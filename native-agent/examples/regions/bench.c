/*
 * A program that loads the library only for as long as it needs it: bench LIBRARY FILE END. At END it looks at the table and its guards, gives
 * all back, and loads the library once more where LIBRARY is there then.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "scratchpad.h"

static sigjmp_buf back;
static void on_fault(int number) {
  (void)number;
  siglongjmp(back, 1);
}
static int is_closed(volatile uint64_t *at) {
  if (sigsetjmp(back, 1) != 0) return 1;
  (void)*at;
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGSEGV, on_fault);
  signal(SIGBUS, on_fault);
  void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
  if (library == NULL) return 2;
  uint64_t *(*opens)(const char *) = (uint64_t * (*)(const char *)) dlsym(library, "scratchpad_open");
  void (*closes)(uint64_t *) = (void (*)(uint64_t *))dlsym(library, "scratchpad_close");
  uint64_t *table = opens(argv[2]);
  if (table == NULL) return 2;
  printf("ready\n");
  while (access(argv[3], F_OK) != 0) {
    struct timespec pause = {0, 5000000};
    nanosleep(&pause, NULL);
  }
  long wrong = 0;
  for (uint64_t i = 0; i < SCRATCHPAD_WORDS; ++i) wrong += is_closed(&table[i]) || table[i] != scratchpad_word(i);
  int guards = is_closed(table - 1) + is_closed(table + SCRATCHPAD_WORDS);
  closes(table);
  int unloaded = dlclose(library) == 0 && dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == NULL;
  printf("words that are wrong: %ld; guards: %d; given back: %d; unloaded: %d; again: %d\n", wrong, guards, is_closed(table), unloaded,
         dlopen(argv[1], RTLD_NOW) != NULL);
  return 0;
}
