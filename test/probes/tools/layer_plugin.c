/* A layer in front of functions (NAME: the plugin's): settings {"times": 3, "plus": 1, "functions": "third_value,getpid"}. What it passes on is
 * the argument by `times` plus `plus`; of getpid, the result is. It counts the calls, and says how often it was asked with which argument. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static long times = 1, plus;
static uint64_t calls[8];

static long passed(long value) { return value * times + plus; }
static void count(int which) { __atomic_fetch_add(&calls[which], 1, __ATOMIC_RELAXED); }

static long (*next_third)(long);
static long third(long value) { return count(0), next_third(passed(value)); }
static long (*next_plug)(long);
static long plug(long value) { return count(1), next_plug(passed(value)); }
static long (*next_program)(long);
static long program(long value) { return count(2), next_program(passed(value)); }
static int (*next_toupper)(int);
static int upper(int value) { return count(3), next_toupper((int)passed(value)); }
static size_t (*next_strlen)(const char *);
static size_t length(const char *text) { return count(4), (size_t)passed((long)next_strlen(text)); }
static pid_t (*next_getpid)(void);
static pid_t pid(void) { return count(5), (pid_t)passed(next_getpid()); }

#define WRAP(name, library, wrapper, next, counter) \
  {sizeof(struct cairn_wrap), 0, name, library, (cairn_function)(wrapper), (cairn_function *)&(next), &calls[counter]}
static const struct cairn_wrap known[] = {
    WRAP("third_value", "libthird.so", third, next_third, 0), WRAP("plug_value", NULL, plug, next_plug, 1),
    WRAP("program_value", NULL, program, next_program, 2),    WRAP("toupper", NULL, upper, next_toupper, 3),
    WRAP("strlen", "libc.so.6", length, next_strlen, 4),      WRAP("getpid", "libc.so.6", pid, next_getpid, 5),
    WRAP("nobody_has_this", NULL, third, next_third, 6),
};
enum { KNOWN = sizeof known / sizeof known[0] };
static int wrapped[KNOWN];

static long number_of(const char *settings, const char *key, long otherwise) {
  const char *at = strstr(settings, key);
  return at == NULL || (at = strchr(at, ':')) == NULL ? otherwise : strtol(at + 1, NULL, 10);
}

static int32_t use(const char *settings) {
  times = number_of(settings, "\"times\"", 1);
  plus = number_of(settings, "\"plus\"", 0);
  for (int i = 0; i < KNOWN; ++i) {
    int wanted = strstr(settings, known[i].function) != NULL;
    if (wanted == wrapped[i]) continue;
    int32_t result = wanted ? host->wrap(&known[i]) : host->unwrap(&known[i]);
    if (result < 0) return host->fail(result, known[i].function, "cannot be wrapped");
    wrapped[i] = wanted;
    char text[120];
    snprintf(text, sizeof text, "layer %s: %s %s %d", NAME, wanted ? "wraps" : "leaves", known[i].function, (int)result);
    host->log(CAIRN_LOG_INFO, text);
  }
  return strstr(settings, "refuse") != NULL ? host->fail(-22, "layer_plugin", "the settings ask to refuse") : 1;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return use(settings);
}

static int32_t event(uint32_t number, void *data) { return number == CAIRN_EVENT_SETTINGS ? use(data) : 0; }

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = NAME,
    .version = "1",
    .author = "test",
    .init = init,
    .event = event,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
