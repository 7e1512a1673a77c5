// A plugin named NAME that hears of all events and has as many barriers at a checkpoint as BARRIERS says, and does nothing at any.
#include <cairn/plugin.h>
#include <stddef.h>

static int32_t event(uint32_t which, void *data) {
  (void)which;
  (void)data;
  return 0;
}

static const char *const names[] = {"first", "second", "third", NULL};
static int32_t barrier(const char *name, uint32_t restart) {
  (void)name;
  (void)restart;
  return 0;
}

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = NAME,
    .version = "1",
    .author = "test",
    .event = event,
    .checkpoint_barriers = names + sizeof names / sizeof names[0] - 1 - BARRIERS,
    .barrier = barrier,
};
CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  (void)major;
  (void)minor;
  return &plugin;
}
