/* A plugin that says its settings in the session's log. Its schema is greet.schema.json. */
#include <cairn/plugin.h>
#include <stddef.h>
#include <stdio.h>

static int32_t init(const struct cairn_host *host, const char *settings) {
  char text[256];
  snprintf(text, sizeof text, "greet has %s", settings);
  host->log(CAIRN_LOG_INFO, text);
  return 0;
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "greet",
    .version = "2.1",
    .author = "test",
    .init = init,
};

const struct cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &plugin;
}
