// The built-in plugin `env`: the environment, which a restart may change (`--env K=V`), and its table.
#include <string.h>

#include "environment.h"
#include "history.h"
#include "places.h"

namespace cairn::env {
namespace {

const cairn_host *host;

int32_t init(const cairn_host *given, const char *) {
  host = given;
  if (int32_t error = given->publish("cairn.environment/1", &handed_on)) return error;
  return find_places(given);
}

int32_t event(uint32_t event, void *) {
  if (event == CAIRN_EVENT_STARTED) return apply(host, false);
  return event == CAIRN_EVENT_RESTART ? apply(host, true) : 0;
}

void rows(const char *table, cairn_emit_row emit, void *context) {
  if (strcmp(table, "env") == 0) emit_rows(host, emit, context);
}

}  // namespace
}  // namespace cairn::env

extern "C" const struct cairn_plugin cairn_plugin_env;
const struct cairn_plugin cairn_plugin_env = {
    sizeof(struct cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "env", "1.0", "Cairn",
    cairn::env::init, cairn::env::event, cairn::env::rows, nullptr, nullptr, nullptr};
