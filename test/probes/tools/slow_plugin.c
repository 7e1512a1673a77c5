/* A plugin that takes 80 ms at its barrier, and 40 ms in event precheckpoint, in processes whose environment has SLOW. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static int slow;

static int32_t pause_ms(long milliseconds) {
  struct timespec time = {0, milliseconds * 1000000};
  if (slow) host->syscall(SYS_nanosleep, (long)&time, 0, 0, 0, 0, 0);
  return 0;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  (void)settings;
  host = given;
  slow = getenv("SLOW") != NULL;
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  return number == CAIRN_EVENT_PRECHECKPOINT ? pause_ms(40) : 0;
}

static const char *const barriers[] = {"pass", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  return restart ? 0 : pause_ms(80);
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "slow", "1", "the tests", init, event, NULL, barriers, barriers, barrier, NULL, NULL,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
