/*
 * What crosses a layer: an example of a plugin that wraps functions (cairn_wrap in cairn/plugin.h). It counts what comes to it from above,
 * which plugins above it may have changed, and what comes back from below; it changes nothing. `cairn plugins` shows the calls; the bytes
 * are said in the session's log before a checkpoint.
 */
#include <stdio.h>

#include "cairn/plugin.h"
#include "model.h"

static const struct cairn_host *host;
static struct crossing {
  uint64_t calls;
  uint64_t bytes;
} sent, received;

static int32_t (*next_send)(struct model *model, const void *data, uint32_t size);
static int32_t (*next_receive)(struct model *model, void *data, uint32_t capacity);

static void count(struct crossing *crossing, int32_t bytes) {
  __atomic_fetch_add(&crossing->calls, 1, __ATOMIC_RELAXED);
  if (bytes > 0) __atomic_fetch_add(&crossing->bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
}

static int32_t counted_send(struct model *model, const void *data, uint32_t size) {
  int32_t result = next_send(model, data, size);
  count(&sent, result);
  return result;
}

static int32_t counted_receive(struct model *model, void *data, uint32_t capacity) {
  int32_t result = next_receive(model, data, capacity);
  count(&received, result);
  return result;
}

static int32_t init(const struct cairn_host *given, const char *settings) {
  (void)settings;
  host = given;
  return 0;
}

static int32_t event(uint32_t number, void *data) {
  (void)data;
  if (number != CAIRN_EVENT_PRESUSPEND) return 0;
  char text[160];
  snprintf(text, sizeof text, "counting: %llu bytes in %llu calls went down, %llu bytes in %llu calls came up", (unsigned long long)sent.bytes,
           (unsigned long long)sent.calls, (unsigned long long)received.bytes, (unsigned long long)received.calls);
  host->log(CAIRN_LOG_INFO, text);
  return 0;
}

static const struct cairn_wrap send_wrap = {
    sizeof send_wrap, 0, "model_send", "libmodel.so.1", (cairn_function)counted_send, (cairn_function *)&next_send, &sent.calls,
};
static const struct cairn_wrap receive_wrap = {
    sizeof receive_wrap, 0, "model_receive", "libmodel.so.1", (cairn_function)counted_receive, (cairn_function *)&next_receive, &received.calls,
};
static const struct cairn_wrap *const wraps[] = {&send_wrap, &receive_wrap, NULL};

static const struct cairn_plugin plugin = {
    .size = sizeof plugin,
    .abi_major = CAIRN_PLUGIN_ABI_MAJOR,
    .abi_minor = CAIRN_PLUGIN_ABI_MINOR,
    .name = "counting",
    .version = "1",
    .author = "Cairn",
    .init = init,
    .event = event,
    .wraps = wraps,
};

CAIRN_EXPORT const struct cairn_plugin *cairn_plugin_entry(uint32_t major, uint32_t minor) {
  return major == CAIRN_PLUGIN_ABI_MAJOR && minor >= 1 ? &plugin : NULL;
}
