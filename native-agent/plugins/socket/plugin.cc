// The built-in plugin `socket`: Unix, TCP and UDP sockets whose other end is in the computation, too, with what is in their queues.
// A checkpoint only looks at the sockets (queue.cc; the exception: drain.cc). A restart makes them before the plugin `descriptor`,
// which is a layer above, gives out descriptors. Here: events and barriers. Tests: test/probes/sockets.
#include "common/handles.h"
#include "socket/away.h"

namespace cairn::sockets {

const cairn_host* host;

namespace {

bool corrected = false;  // in this restart

const char* const checkpoint_barriers[] = {"peers", "queues", "drain", "refill", nullptr};
const char* const restart_barriers[] = {"connect", "accept", "make", "fill", nullptr};

// Tells a program that is executed that there was a restart.
constexpr uint32_t restarted = plugin::name_space("socket.restarted");

int32_t last_unless(bool more, int32_t result) { return result == 0 && !more ? CAIRN_BARRIER_LAST : result; }

int32_t barrier(const char* name, uint32_t restart) {
  if (restart == 0) {
    if (plugin::same(name, "peers")) return last_unless(sockets != nullptr, find_peers());
    if (plugin::same(name, "queues")) return last_unless(has_to_drain(), save_queues());
    return plugin::same(name, "drain") ? drain() : refill();
  }
  if (plugin::same(name, "connect")) return make_pairs();
  if (plugin::same(name, "accept")) return accept_away();
  if (plugin::same(name, "make")) return make_others();
  return fill_queues();
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      end_drain();
      forget_told();
      release_memory();
      sockets = nullptr;
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE:
      return claim(descriptor);
    case CAIRN_EVENT_RESUME:
      end_drain();
      forget_told();
      return 0;
    case CAIRN_EVENT_ABORT:
      abort_drain();
      forget_told();
      return 0;
    case CAIRN_EVENT_RESTART:
      forget_shown();
      begin_translation();
      corrected = false;
      forget_looks();
      begin_groups();
      host->set_name(restarted, 0, 1);
      learn_addresses();
      return offer_away();
    case CAIRN_EVENT_DESCRIPTOR_RESTORE:
      descriptor->fd = reinterpret_cast<const Socket*>(descriptor->token)->fd;
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_FILL:
      if (!corrected) correct_calls();
      corrected = true;
      note_shown(*reinterpret_cast<const Socket*>(descriptor->token), descriptor->fd);
      join_groups(*reinterpret_cast<const Socket*>(descriptor->token), descriptor->fd);
      return note_external(*reinterpret_cast<const Socket*>(descriptor->token), descriptor->fd);
    default:
      return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_calls();
  prepare_groups();
  load_addresses();
  int64_t any = 0;
  if (host->get_name(restarted, 0, &any) == 0 || plugin::has_other_names(host)) {
    forget_shown();
    begin_translation();
  }
  return host->publish("cairn.sockets/1", &socket_functions);
}

}  // namespace
}  // namespace cairn::sockets

extern "C" const struct cairn_plugin cairn_plugin_socket = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "socket", "1.0", "Cairn", cairn::sockets::init,
    cairn::sockets::event, cairn::sockets::rows, cairn::sockets::checkpoint_barriers, cairn::sockets::restart_barriers, cairn::sockets::barrier,
};
