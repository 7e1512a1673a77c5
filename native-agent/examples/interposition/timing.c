/*
 * How long the calls of a library's function take, since the restart: an example of a plugin that wraps a function (cairn_wrap in
 * cairn/plugin.h). Settings: {"level": "total"}, or
 *   "total"      how many calls, how long all and the longest took
 *   "histogram"  also how many took less than 1, 2, 4, … microseconds
 *   "each"       also a line for each call
 * It is said in the session's log before a checkpoint. Threads count side by side; a thread that a checkpoint stops within a call is counted
 * with the time that it stood.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cairn/plugin.h"
#include "model.h"

enum { TOTAL = 1, HISTOGRAM = 2, EACH = 3, CLASSES = 24 };

static const struct cairn_host *host;
static uint32_t level = TOTAL;
static struct {
  uint64_t calls;
  uint64_t total_ns;
  uint64_t longest_ns;
  uint64_t classes[CLASSES]; /* the last: all longer ones */
} times;

static int64_t (*next_step)(struct model *model, uint32_t cycles);

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void add(uint64_t *counter, uint64_t value) { __atomic_fetch_add(counter, value, __ATOMIC_RELAXED); }

static void count(uint64_t took) {
  add(&times.calls, 1);
  add(&times.total_ns, took);
  uint64_t longest = __atomic_load_n(&times.longest_ns, __ATOMIC_RELAXED);
  while (took > longest && !__atomic_compare_exchange_n(&times.longest_ns, &longest, took, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  if (level < HISTOGRAM) return;
  uint32_t class = 0;
  while (class < CLASSES - 1 && took >= (uint64_t)1000 << class) ++class;
  add(&times.classes[class], 1);
}

static int64_t timed_step(struct model *model, uint32_t cycles) {
  uint64_t begin = now_ns();
  int64_t result = next_step(model, cycles);
  int number = errno;
  uint64_t took = now_ns() - begin;
  count(took);
  if (level >= EACH) {
    char text[120];
    snprintf(text, sizeof text, "timing: model_step(%u) took %llu ns", cycles, (unsigned long long)took);
    host->log(CAIRN_LOG_INFO, text);
  }
  errno = number;
  return result;
}

static void report(void) {
  char text[600];
  int size = snprintf(text, sizeof text, "timing: model_step: %llu calls, %llu ns, the longest %llu ns", (unsigned long long)times.calls,
                      (unsigned long long)times.total_ns, (unsigned long long)times.longest_ns);
  for (uint32_t class = 0; level >= HISTOGRAM && class < CLASSES && size < (int)sizeof text; ++class) {
    if (times.classes[class] == 0) continue;
    size += snprintf(text + size, sizeof text - (size_t)size, class < CLASSES - 1 ? "; below %u us: %llu" : "; %u us and more: %llu",
                     class < CLASSES - 1 ? 1u << class : 1u << (CLASSES - 2), (unsigned long long)times.classes[class]);
  }
  host->log(CAIRN_LOG_INFO, text);
}

static int32_t read_settings(const char *settings) {
  if (strstr(settings, "\"each\"") != NULL) level = EACH;
  else if (strstr(settings, "\"histogram\"") != NULL) level = HISTOGRAM;
  else if (strstr(settings, "\"level\"") == NULL || strstr(settings, "\"total\"") != NULL) level = TOTAL;
  else return host->fail(-EINVAL, "settings", "\"level\" is \"total\", \"histogram\" or \"each\"");
  return 0;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return read_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: report(); return 0;
    case CAIRN_EVENT_RESTART: memset(&times, 0, sizeof times); return 0;
    case CAIRN_EVENT_SETTINGS: {
      int32_t result = read_settings(data);
      return result < 0 ? result : 1;
    }
    default: return 0;
  }
}

static const struct cairn_wrap step = {
    sizeof step, 0, "model_step", "libmodel.so.1", (cairn_function)timed_step, (cairn_function *)&next_step, &times.calls,
};
static const struct cairn_wrap *const wraps[] = {&step, NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "timing",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
