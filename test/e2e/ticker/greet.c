/* A plugin that says its settings in the session's log. Its schema is greet.schema.json. */
#include <cairn/plugin.h>
#include <stddef.h>
#include <stdio.h>

static const struct cairn_host *cairn;

static void say(const char *settings) {
  char text[256];
  snprintf(text, sizeof text, "greet has %s", settings);
  cairn->log(CAIRN_LOG_INFO, text);
}

static int32_t init(const struct cairn_host *host, const char *settings) {
  cairn = host;
  say(settings);
  return 0;
}

static int32_t event(uint32_t event, void *data) {
  if (event != CAIRN_EVENT_SETTINGS && event != CAIRN_EVENT_SETTINGS_LIVE) return 0;
  say(data);
  return 1;
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "greet",
    .version = "2.1",
    .author = "test",
    .init = init,
    .event = event,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &plugin;
}
