// Owns: the plugin `sysv`: System V shared memory, semaphores and message queues under the ids and keys that the application knows.
// names.cc has the names; segments.cc, semaphores.cc and queues.cc what a checkpoint and a restart do; the files *_calls.cc what the
// application calls. Tests: test/probes (sysv).
#include "common/text.h"
#include "sysv/queues.h"
#include "sysv/segments.h"
#include "sysv/semaphores.h"

namespace cairn::sysv {

const cairn_host* host = nullptr;

namespace {

// Tells a program that is executed that there was a restart.
constexpr uint32_t restarted = plugin::name_space("sysv.restarted");

int32_t event(uint32_t number, void* data) {
  auto* mapping = static_cast<cairn_mapping*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: 
      forget_segments();
      forget_semaphores();
      forget_queues();
      return 0;
    case CAIRN_EVENT_PRECHECKPOINT:
      if (int32_t error = check_adjustments()) return error;
      if (int32_t error = save_semaphores()) return error;
      if (int32_t error = save_queues()) return error;
      return save_segments();
    case CAIRN_EVENT_MAPPING_SAVE: return claim_segment(mapping);
    case CAIRN_EVENT_RESTART:
      activate();
      host->set_name(restarted, 0, 1);
      if (int32_t error = make_semaphores()) return error;
      if (int32_t error = make_queues()) return error;
      return make_segments();
    case CAIRN_EVENT_FORK_CHILD: forget_adjustments(); return 0;
    case CAIRN_EVENT_MAPPING_RESTORE: return attach_segment(mapping);
    default: return 0;
  }
}

const char* const restart_barriers[] = {"undo", "last change", "let go", nullptr};

int32_t barrier(const char* name, uint32_t) {
  if (plugin::same(name, "undo")) return set_adjustments();
  if (plugin::same(name, "last change")) return change_last();
  forget_changes();
  correct_calls();
  return finish_segments();
}

const cairn_system_v functions = {sizeof functions, 0, system_call};

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_segment_calls();
  prepare_semaphore_calls();
  prepare_queue_calls();
  int64_t any = 0;
  if (host->get_name(restarted, 0, &any) == 0) activate();
  note_present();
  return host->publish("cairn.sysv/1", &functions);
}

}  // namespace
}  // namespace cairn::sysv

extern "C" const struct cairn_plugin cairn_plugin_sysv = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "sysv", "1.0", "Cairn", cairn::sysv::init,
    cairn::sysv::event, nullptr, nullptr, cairn::sysv::restart_barriers, cairn::sysv::barrier,
};
