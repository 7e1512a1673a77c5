// The built-in plugin `pty`: pseudo-terminals that the application made. It stands below the plugin `descriptor`, so that they are
// there before the first descriptor is; what comes after that (queues) is in the plugin `terminal`, which stands above it.
// Here: events and barriers. Tests: test/probes (terminal), test/programs.
#include "terminal/pty.h"

namespace cairn::terminal {
namespace {

const char* const restart_barriers[] = {"make", "front", nullptr};

int32_t barrier(const char* name, uint32_t) { return plugin::same(name, "make") ? make_ptys() : set_foreground(); }

int32_t event(uint32_t number, void* data) {
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: forget_ptys(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim_end(static_cast<cairn_descriptor*>(data));
    case CAIRN_EVENT_RESTART: begin_names(); return adopt_terminal();
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return open_end(static_cast<cairn_descriptor*>(data));
    default: return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return publish_names();
}

}  // namespace

const cairn_host* host;

}  // namespace cairn::terminal

extern "C" const struct cairn_plugin cairn_plugin_pty = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "pty", "1.0", "Cairn", cairn::terminal::init,
    cairn::terminal::event, nullptr, nullptr, cairn::terminal::restart_barriers, cairn::terminal::barrier,
};
