// The built-in plugin `pipe`: pipes and FIFOs, whose ends may be spread over the processes of the computation. What leads out of the
// computation is the plugin `descriptor`'s.
// Here: events. Saving: save.cc; the way back: restore.cc. At a restart all processes make their pipes in RESTART, before the first
// barrier; descriptors are made in barriers, so that every pipe is there when an end of it is opened.
// Tests: test/probes (pipes).
#include "pipe/pipes.h"

namespace cairn::pipe {

const cairn_host* host;
Table table;

namespace {

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: forget_pipes(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim_end(descriptor);
    case CAIRN_EVENT_PRECHECKPOINT: return save_contents();
    case CAIRN_EVENT_RESTART: {
      int32_t error = make_pipes();
      if (error >= 0) lead_waiting_opens();
      return error;
    }
    case CAIRN_EVENT_RESTART_FAILED: remove_made(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return open_end(descriptor);
    case CAIRN_EVENT_DESCRIPTOR_FILL: return close_handles(*descriptor);
    default: return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return 0;
}

}  // namespace
}  // namespace cairn::pipe

extern "C" const struct cairn_plugin cairn_plugin_pipe = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "pipe", "1.0", "Cairn", cairn::pipe::init,
    cairn::pipe::event, nullptr, nullptr, nullptr, nullptr,
};
