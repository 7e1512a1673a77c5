// The built-in plugin `descriptor`: numbers, sharing and owners of descriptors. What is behind one is another plugin's: it is
// offered each open file description (CAIRN_EVENT_DESCRIPTOR_SAVE), and makes it again at a restart.
// Here: events and barriers. Tests: test/probes (files, processes).
#include "descriptor/before.h"
#include "descriptor/table.h"

namespace cairn::descriptor {

const cairn_host* host;

namespace {

const char* const checkpoint_barriers[] = {"list", "find", nullptr};
const char* const restart_barriers[] = {"make", "take", "fill", nullptr};

int32_t barrier(const char* name, uint32_t) {
  if (plugin::same(name, "find")) {
    int32_t error = settle_table();
    if (error >= 0) note_names();
    return error;
  }
  if (plugin::same(name, "list")) return read_table();
  if (plugin::same(name, "make")) return make_kept();
  if (plugin::same(name, "take")) return take_shared();
  int32_t error = fill();
  if (error >= 0) note_restart();
  return error;
}

bool restarted = false;

int32_t event(uint32_t number, void*) {
  if (number == CAIRN_EVENT_PRECHECKPOINT || number == CAIRN_EVENT_ABORT) forget_objects();
  if (number == CAIRN_EVENT_RESTART) {
    restarted = true;
    forget_told_before();
    return begin_restore();
  }
  if (number == CAIRN_EVENT_RUNNING && restarted) {
    restarted = false;
    end_restore();
  }
  return 0;
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  note_outside();
  return 0;
}

}  // namespace
}  // namespace cairn::descriptor

extern "C" const struct cairn_plugin cairn_plugin_descriptor = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "descriptor", "1.0", "Cairn", cairn::descriptor::init,
    cairn::descriptor::event, cairn::descriptor::rows, cairn::descriptor::checkpoint_barriers,
    cairn::descriptor::restart_barriers, cairn::descriptor::barrier,
};
