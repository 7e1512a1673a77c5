// A plugin that knows where the messages of messages_victim end.
#include <cairn/messages.h>
#include <cairn/plugin.h>

static uint64_t length(const void *bytes, uint64_t count) {
  const unsigned char *at = bytes;
  return count < 2 ? 0 : 2 + (uint64_t)(at[0] << 8 | at[1]);
}

static int32_t init(const struct cairn_host *host, const char *settings) {
  static const struct cairn_messages messages = {sizeof messages, 0, length};
  (void)settings;
  return host->publish("victim.messages/1", &messages);
}

static int32_t event(uint32_t number, void *data) {
  (void)number, (void)data;
  return 0;
}

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  static const struct cairn_plugin plugin = {
      .size = sizeof plugin,
      .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
      .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
      .name = "victim-messages",
      .version = "1",
      .author = "",
      .init = init,
      .event = event,
  };
  (void)minor;
  return major == CAIRN_PLUGIN_ABI_MAJOR ? &plugin : 0;
}
