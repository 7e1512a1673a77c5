/* A plugin (NAME) whose user changes it: says each event that it is told of, in which process, and the settings that it has. It does not take
 * settings with "refuse" in them (in a process whose id the file of that name has, where there is one: {"refuse": "/path"}); built with OLD it
 * knows nothing of settings that change while the program runs. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static char had[512];

static void say(const char *what) {
  char text[700];
  snprintf(text, sizeof text, "%s plugin: %s in %d with %s", NAME, what, host->virtual_pid(), had);
  host->log(CAIRN_LOG_INFO, text);
}

static int refuses(const char *settings) {
  const char *at = strstr(settings, "\"refuse\":\"");
  if (at == NULL) return 0;
  char path[256];
  const char *begin = at + strlen("\"refuse\":\""), *end = strchr(begin, '"');
  if (end == NULL || end - begin >= (long)sizeof path) return 1;
  memcpy(path, begin, (size_t)(end - begin));
  path[end - begin] = 0;
  char text[16] = "";
  long fd = host->syscall(SYS_openat, -100, (long)path, 0, 0, 0, 0);
  if (fd < 0) return 1;
  host->syscall(SYS_read, fd, (long)text, sizeof text - 1, 0, 0, 0);
  host->syscall(SYS_close, fd, 0, 0, 0, 0, 0);
  char own[16];
  snprintf(own, sizeof own, "%d", host->virtual_pid());
  return strcmp(text, own) == 0;
}

static int32_t use(const char *settings, const char *what) {
  if (refuses(settings)) return host->fail(-22, NAME, "the settings ask to refuse");
  had[0] = 0;
  strncat(had, settings, sizeof had - 1);
  say(what);
  return 1;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  return use(settings, "init");
}

static int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: return use(data, "settings");
#ifndef OLD
    case CAIRN_EVENT_SETTINGS_LIVE: return use(data, "live");
#endif
    case CAIRN_EVENT_PRESUSPEND: say("presuspend"); return 0;
    case CAIRN_EVENT_PRECHECKPOINT: say("precheckpoint"); return 0;
    case CAIRN_EVENT_RESTART: say("restart"); return 0;
    case CAIRN_EVENT_RUNNING: say("running"); return 0;
    case CAIRN_EVENT_FORK_CHILD: say("fork"); return 0;
    default: return 0;
  }
}

static void rows(const char *table, cairn_emit_row emit, void *context) {
  if (strcmp(table, "path") != 0 && strcmp(table, "plugin") != 0) return;
  struct cairn_row row = {.size = sizeof row, .virtual_name = "of " NAME, .real_name = had, .before = "", .detail = ""};
  emit(context, &row);
}

static const char *const barriers[] = {"drain", NULL};
static const char *const restart_barriers[] = {"refill", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  (void)restart;
  say(name);
  return 0;
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, NAME, "1", "test", init, event, rows, barriers, restart_barriers, barrier, NULL,
    NULL,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
