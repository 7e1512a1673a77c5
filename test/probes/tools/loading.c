// Loads and unloads libraries all the time, in a thread; ends when its standard input does, or has a line. With "leader": its first thread ends
// at once, and another waits.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *load(void *argument) {
  static const char *const names[] = {"libresolv.so.2", "libthread_db.so.1", "libBrokenLocale.so.1", "libanl.so.1"};
  for (unsigned at = 0;; at++) {
    void *library = dlopen(names[at % 4], RTLD_NOW | RTLD_LOCAL);
    if (library) dlclose(library);
  }
  return argument;
}
static void *await_end(void *argument) {
  char byte;
  if (argument) pthread_join(*(pthread_t *)argument, NULL), puts("its first thread has ended"), fflush(stdout);
  (void)!read(0, &byte, 1);
  exit(0);
}

int main(int argc, char **argv) {
  static pthread_t self;
  pthread_t thread;
  self = pthread_self();
  int leader = argc > 1 && strcmp(argv[1], "leader") == 0;
  pthread_create(&thread, NULL, await_end, leader ? &self : NULL);
  if (leader) pthread_exit(NULL);
  puts("loading");
  fflush(stdout);
  load(NULL);
}
