// A plugin that fails a checkpoint late, when others have saved already, as long as the file exists that its settings name: {"file": PATH}.
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static char file[256];

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  const char *begin = strchr(settings, '/');
  const char *end = begin == NULL ? NULL : strchr(begin, '"');
  if (end == NULL || end - begin >= (long)sizeof file) return -22;
  memcpy(file, begin, (size_t)(end - begin));
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  if (number != CAIRN_EVENT_PRECHECKPOINT || host->syscall(SYS_access, (long)file, F_OK, 0, 0, 0, 0) != 0) return 0;
  return host->fail(-16, file, "the test wants this checkpoint to fail");
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "failing", "1", "test", init, event, NULL, NULL, NULL, NULL, NULL, NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
