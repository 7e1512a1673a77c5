// A plugin that claims every connection to outside and leaves it as it is. As long as the file exists that its settings name, {"file":
// PATH}, it says that the connection is taken off but cannot be saved, and nothing more; RESUME removes the file.
#include <errno.h>
#include <fcntl.h>
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
  if (end == NULL || end - begin >= (long)sizeof file) return -EINVAL;
  memcpy(file, begin, (size_t)(end - begin));
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  struct cairn_external *connection = data;
  if (number == CAIRN_EVENT_EXTERNAL_SAVE) {
    if (host->syscall(SYS_faccessat, AT_FDCWD, (long)file, F_OK, 0, 0, 0) == 0) connection->error = -EIO;
    return 1;
  }
  if (number == CAIRN_EVENT_EXTERNAL_RESUME) host->syscall(SYS_unlinkat, AT_FDCWD, (long)file, 0, 0, 0, 0);
  return 0;
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "breaking", "1", "test", init, event, NULL, NULL, NULL, NULL, NULL, NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
