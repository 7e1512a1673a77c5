/* A plugin as it was written for the first version of the interface, with the header of that time beside it. Neither is ever changed: it
 * stands for the binaries that exist. It keeps a file and a number, has barriers and rows, and says what it is told.
 * Settings: {"file": PATH}. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "cairn/plugin.h"

#if CAIRN_PLUGIN_ABI_MAJOR != 1 || CAIRN_PLUGIN_ABI_MINOR != 0
#error "this is to be built with the header of version 1.0"
#endif

struct kept {
  uint32_t events;
  int32_t file;
};

static const struct cairn_host *host;
static const struct cairn_ids *ids;
static struct kept *kept;
static char path[256];

static void say(const char *what, const char *detail) {
  char text[256];
  snprintf(text, sizeof text, "old plugin: %s %u%s%s", what, ++kept->events, detail[0] == 0 ? "" : " ", detail);
  host->log(CAIRN_LOG_INFO, text);
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  const char *begin = strchr(settings, '/');
  const char *end = begin == NULL ? NULL : strchr(begin, '"');
  host = given;
  if (host->size < sizeof *host || host->abi_major != 1) return host->fail(-22, "host", "the host is older than version 1.0");
  if (end == NULL || (size_t)(end - begin) >= sizeof path) return host->fail(-22, "settings", "\"file\" is missing");
  memcpy(path, begin, (size_t)(end - begin));
  kept = host->allocate(sizeof *kept);
  if (kept == NULL) return -12;
  say("init", settings);
  return 0;
}

static int32_t keep(void) {
  long fd = host->syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  int32_t tid = 0, real = 0;
  if (fd < 0) return host->fail((int32_t)fd, path, "cannot be opened");
  kept->file = host->keep_file((int32_t)fd, 5, CAIRN_KEEP_NOW);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  ids = host->extension("cairn.ids/1");
  if (kept->file < 0) return kept->file;
  if (ids == NULL || ids->to_virtual(host->real_pid()) != host->virtual_pid()) return host->fail(-1, "ids", "are not as expected");
  if (host->thread(0, &tid, &real) != 1 || tid <= 0 || host->own_fd(0) != 0) return host->fail(-1, "threads", "are not as expected");
  say("precheckpoint", "");
  return 0;
}

static int32_t bring_back(void) {
  char text[16] = "";
  int32_t fd = host->open_kept(kept->file);
  if (fd < 0) return host->fail(fd, path, "was not kept");
  host->syscall(SYS_read, fd, (long)text, 5, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  say("restart", text);
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: say("presuspend", ""); return 0;
    case CAIRN_EVENT_PRECHECKPOINT: return keep();
    case CAIRN_EVENT_RESUME: say("resume", ""); return 0;
    case CAIRN_EVENT_RESTART: return bring_back();
    case CAIRN_EVENT_RUNNING: say("running", ""); return 0;
    default: return 0;
  }
}

static void rows(const char *table, cairn_emit_row emit, void *context) {
  struct cairn_row row = {sizeof row, 0, "old name", "new name", "", "of the old plugin", 0};
  if (strcmp(table, "path") == 0) emit(context, &row);
}

static const char *const down[] = {"drain", NULL}, *const up[] = {"refill", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  say(name, restart ? "restart" : "checkpoint");
  return 0;
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "old", "1.0.0", "Cairn", init, event, rows, down, up, barrier,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
