/* A plugin that misbehaves in one callback as long as a file exists. Settings: {"where": CALLBACK, "how": HOW, "file": PATH}; CALLBACK is an
 * event's number or "barrier", HOW is null, abort, stack, wild, trap, exit, _exit, kill, hang, or huge: asks for
 * more memory than there can be. Built with -DMAJOR=2, -DUNDEFINED or -DNO_ENTRY it is one
 * that cannot be used. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cairn/plugin.h"

#ifndef MAJOR
#define MAJOR CAIRN_PLUGIN_ABI_MAJOR
#endif

static const struct cairn_host *host;
static char where[32], how[32], file[256];

static void text_of(const char *settings, const char *key, char *value, size_t capacity) {
  const char *at = strstr(settings, key);
  const char *begin = at == NULL ? NULL : strchr(at + strlen(key), ':');
  const char *end = begin == NULL || (begin = strchr(begin, '"')) == NULL ? NULL : strchr(begin + 1, '"');
  if (end == NULL || (size_t)(end - begin) > capacity) return;
  memcpy(value, begin + 1, (size_t)(end - begin) - 1);
}

static int armed(void) { return host->syscall(SYS_access, (long)file, F_OK, 0, 0, 0, 0) == 0; }

static int overflow(volatile char *above) {
  volatile char room[4096];
  room[0] = above[0];
  return overflow(room) + room[0];
}

static int32_t misbehave(const char *here) {
  if (strcmp(here, where) != 0 || !armed()) return 0;
  static volatile char letter;
  if (strcmp(how, "null") == 0) *(volatile int *)8 = 1;
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "stack") == 0) return overflow(&letter);
  if (strcmp(how, "wild") == 0) ((void (*)(void))(long)0x1234)();
  if (strcmp(how, "trap") == 0) __builtin_trap();
  if (strcmp(how, "exit") == 0) exit(3);
  if (strcmp(how, "_exit") == 0) _exit(3);
  if (strcmp(how, "kill") == 0) host->syscall(SYS_kill, host->syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0, 0);
  if (strcmp(how, "huge") == 0) return host->allocate(UINT64_MAX) != NULL ? 0 : host->fail(-ENOMEM, "memory", "there is not so much");
  struct timespec_like {
    long seconds, nanoseconds;
  } pause = {0, 5000000};
  if (strcmp(how, "hang") == 0)
    while (armed()) host->syscall(SYS_nanosleep, (long)&pause, 0, 0, 0, 0, 0);
  return 0;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  text_of(settings, "\"where\"", where, sizeof where);
  text_of(settings, "\"how\"", how, sizeof how);
  text_of(settings, "\"file\"", file, sizeof file);
  return misbehave("init");
}

static int32_t event(uint32_t number, void *data) {
  char here[2] = {(char)('0' + number % 10), 0};
  (void)data;
  return number < 10 ? misbehave(here) : 0;
}

static void rows(const char *table, cairn_emit_row emit, void *context) {
  (void)emit;
  (void)context;
  if (strcmp(table, "pid") == 0) (void)misbehave("rows");
}

static const char *const barriers[] = {"go", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  (void)restart;
  return misbehave("barrier");
}

static const struct cairn_plugin plugin = {
    sizeof plugin, MAJOR, 0, 0, "misbehaving", "1", "test", init, event, rows, barriers, barriers, barrier, NULL, NULL,
};

#ifdef UNDEFINED
extern int nobody_defines_this(void);
#endif
#ifdef NO_ENTRY
#define cairn_plugin_entry another_name
#endif

const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
#ifdef UNDEFINED
  if (nobody_defines_this()) return NULL;
#endif
  return &plugin;
}
