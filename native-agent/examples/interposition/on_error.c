/*
 * A checkpoint each time that a wrapped function returns an error, before the caller knows: an example of a plugin that wraps a function
 * (cairn_wrap in cairn/plugin.h). A restart of such a snapshot comes out of the call with that same error. Settings: {"most": 3}, after
 * how many checkpoints it is enough; without it, ten.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/plugin.h"
#include "model.h"

static const struct cairn_host *host;
static long most = 10;
static long made;
static uint64_t calls;

static int64_t (*next_step)(struct model *model, uint32_t cycles);

static int64_t checked_step(struct model *model, uint32_t cycles) {
  __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
  int64_t result = next_step(model, cycles);
  if (result >= 0) return result;
  int number = errno;
  if (__atomic_add_fetch(&made, 1, __ATOMIC_RELAXED) <= most) {
    char name[64];
    snprintf(name, sizeof name, "model_step gave %d", (int)result);
    int32_t answer = host->request_checkpoint(name); /* 1: it is made; 2: this is a restart of it */
    if (answer < 0) host->log(CAIRN_LOG_WARNING, "on-error: no checkpoint was made");
  }
  errno = number;
  return result;
}

static int32_t read_settings(const char *settings) {
  const char *at = strstr(settings, "\"most\"");
  if (at == NULL) return 0;
  at = strchr(at, ':');
  most = at == NULL ? 0 : strtol(at + 1, NULL, 10);
  return most > 0 ? 0 : host->fail(-EINVAL, "settings", "\"most\" is a number of checkpoints, 1 or more");
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return read_settings(settings);
}

static int32_t event(uint32_t number, void *data) {
  if (number != CAIRN_EVENT_SETTINGS) return 0;
  int32_t result = read_settings(data);
  return result < 0 ? result : 1;
}

static const struct cairn_wrap step = {
    sizeof step, 0, "model_step", "libmodel.so.1", (cairn_function)checked_step, (cairn_function *)&next_step, &calls,
};
static const struct cairn_wrap *const wraps[] = {&step, NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "on-error",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
