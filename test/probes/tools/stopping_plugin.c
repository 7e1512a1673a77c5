/* A plugin for which all threads stand again and again: host->stop. Settings: {"crash": PATH}: while that exists it crashes there. */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static char file[256];

static void stands(struct cairn_stop *stop, int32_t error) {
  if (file[0] != 0 && host->syscall(SYS_access, (long)file, F_OK, 0, 0, 0, 0) == 0) *(volatile int *)8 = error;
  if (host->stop(stop) < 0) host->log(CAIRN_LOG_ERROR, "stopping plugin: no other moment");
}

static struct cairn_stop every = {.size = sizeof every, .after_ns = 50000000, .clock = CAIRN_STOP_TIME, .stopped = stands};

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  const char *key = strstr(settings, "\"crash\""), *begin = key == NULL ? NULL : strchr(key + 7, '"');
  const char *end = begin == NULL ? NULL : strchr(begin + 1, '"');
  if (end != NULL && (size_t)(end - begin) < sizeof file) memcpy(file, begin + 1, (size_t)(end - begin) - 1);
  return 0;
}

static int32_t event(uint32_t number, void *data) { return number == CAIRN_EVENT_STARTED && data == NULL ? host->stop(&every) : 0; }

static const struct cairn_plugin plugin = {
    .size = sizeof plugin, .abi_major = CAIRN_PLUGIN_ABI_MAJOR, .abi_minor = 1, .name = "stopping", .version = "1", .author = "test", .init = init, .event = event,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) { return major == CAIRN_PLUGIN_ABI_MAJOR && minor > 0 ? &plugin : NULL; }
