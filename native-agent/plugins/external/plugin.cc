// The built-in plugin `external`: connections that leave the computation, for the plugins of those who know what is at the other end
// (cairn_external in cairn/plugin.h). Sockets come here from the plugin `socket`, which knows who is at the other end; everything else
// that is marked is claimed here, above the plugins that own its kind. Here: events, and the extension "cairn.external/1".
// Test: test/probes/external.test.ts
#include "external/external.h"

namespace cairn::external {

const cairn_host* host;

namespace {

int32_t claim(cairn_descriptor* offer) {
  char name[name_size];
  if (S_ISSOCK(offer->mode) || marked(offer->fd, name, sizeof name) < 0) return 0;
  offer->token = 0;
  if (offer->elsewhere != 0) return 1;
  cairn_external connection = {};
  connection.fd = offer->fd;
  connection.name = name;
  connection.local = "";
  connection.peer = S_ISCHR(offer->mode) ? offer->path : "";
  connection.rule = 1;
  return save(&connection, &offer->token);
}

int32_t make(cairn_descriptor* wanted) {
  const Record& record = records[wanted->token - 1];
  wanted->fd = restore(wanted->token);
  if (wanted->fd != -ENOENT) return wanted->fd < 0 ? wanted->fd : 0;
  Text<512> text;
  text.add("what the plugin calls \"").add(record.facts.name).add("\" (descriptor ").add(int64_t{record.facts.fd})
      .add(") is outside of the computation, and no plugin of this restart brings it back; give the one that does by --plugin");
  return host->fail(-ENOTSUP, record.facts.name, text.text());
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: forget_records(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim(descriptor);
    case CAIRN_EVENT_RESUME: return come_back(false);
    case CAIRN_EVENT_ABORT: return come_back(true);
    case CAIRN_EVENT_RESTART: begin_restart(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return make(descriptor);
    case CAIRN_EVENT_DESCRIPTOR_FILL: return descriptor->token == 0 ? 0 : restored(descriptor->token, descriptor->fd);
    default: return 0;
  }
}

const cairn_externals functions = {sizeof functions, 0, mark, unmark, marked, save, restore, restored};

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return host->publish("cairn.external/1", &functions);
}

}  // namespace
}  // namespace cairn::external

extern "C" const struct cairn_plugin cairn_plugin_external = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "external", "1.0", "Cairn", cairn::external::init,
    cairn::external::event, nullptr, nullptr, nullptr, nullptr,
};
