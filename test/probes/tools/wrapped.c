/* `wrapped LIBPLUG END [busy]`: calls functions in all ways in which a program can, again and again, and prints a line of what they gave; ends when
 * the file END is there. `busy`: without a pause. A pointer that it took at its begin is its own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

long third_value(long value);
long call_third(long value);
long call_program(long value);
long call_toupper(long value);
long call_strlen(const char *text);
long call_by_table(long value);

/* For whoever looks for it: the program's own. */
__attribute__((visibility("default"))) long program_value(long value);
long program_value(long value) { return value * 7; }

typedef long function(long value);
static function *volatile kept;

static long by_name(void *handle, const char *name, long value) {
  function *found = NULL;
  *(void **)&found = dlsym(handle, name);
  return found == NULL ? -1 : found(value);
}

static long by_version(long value) {
  int (*found)(int) = NULL;
  *(void **)&found = dlvsym(RTLD_DEFAULT, "toupper", sizeof(void *) == 8 ? "GLIBC_2.2.5" : "GLIBC_2.0");
  return found == NULL ? -1 : found((int)value);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  kept = third_value;
  void *stays = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (stays == NULL) return 3;
  function *plug_third = NULL;
  long (*plug_at_load)(void) = NULL;
  *(void **)&plug_third = dlsym(stays, "plug_third");
  *(void **)&plug_at_load = dlsym(stays, "plug_at_load");
  printf("pid %ld\n", (long)getpid());
  while (access(argv[2], F_OK) != 0) {
    /* Again from the beginning, where nobody else has it. */
    long plug = by_name(stays, "plug_value", 4), at_load = plug_at_load(), in_plug = plug_third(5);
    dlclose(stays);
    stays = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
    if (stays == NULL) return 4;
    *(void **)&plug_third = dlsym(stays, "plug_third");
    *(void **)&plug_at_load = dlsym(stays, "plug_at_load");
    printf("third %ld library %ld table %ld name %ld kept %ld plug %ld load %ld inside %ld program %ld own %ld upper %ld length %ld next %ld version %ld\n",
           third_value(1), call_third(2), call_by_table(3), by_name(RTLD_DEFAULT, "third_value", 4), kept(5), plug, at_load, in_plug,
           call_program(6), program_value(6), call_toupper('a'), call_strlen("1234"), by_name(RTLD_NEXT, "third_value", 8), by_version('b'));
    printf("own pid %ld\n", (long)getpid());
    struct timespec pause = {0, 2000000};
    if (argc == 3) nanosleep(&pause, NULL);
  }
  return 0;
}
