/* A plugin that is given at a restart: it counts, uses libc's functions, interposes on nothing, and says what it was told. */
#include <stdio.h>
#include <string.h>

#include "cairn/plugin.h"

static const struct cairn_host *host;
static char told[256];
static const char *const words[] = {"init", "restart", "running", "settings"};
static int count = 40;

static void say(const char *word) {
  char text[300];
  snprintf(text, sizeof text, "late plugin: %s %d %s", word, ++count, told);
  host->log(CAIRN_LOG_INFO, text);
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  host = given;
  if (strstr(settings, "refuse") != NULL) return host->fail(-22, "late_plugin", "the settings ask to refuse");
  strncpy(told, settings, sizeof told - 1);
  say(words[0]);
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  if (number == CAIRN_EVENT_SETTINGS) {
    const char *settings = data;
    if (strstr(settings, "refuse") != NULL) return host->fail(-22, "late_plugin", "the settings ask to refuse");
    if (strstr(settings, "mute") != NULL) return 0;
    strncpy(told, settings, sizeof told - 1);
    say(words[3]);
    return 1;
  }
  if (number == CAIRN_EVENT_RESTART) say(words[1]);
  if (number == CAIRN_EVENT_RUNNING) say(words[2]);
  return 0;
}

static const struct cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "late", "1", "test", init, event, NULL, NULL, NULL, NULL, NULL, NULL,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : NULL;
}
