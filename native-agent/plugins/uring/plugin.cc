// The built-in plugin `uring`: io_uring instances with nothing in progress. What they were set up with is noted when the application
// calls (calls.cc); a checkpoint looks at the two queues (save.cc); a restart makes an instance whose kernel's counters stand where
// they stood, and maps it where it was (restore.cc). What cannot be known or made again is refused by name.
// Here: events. Tests: test/probes/events (rings*.c), test/probes/refusals.test.ts, test/programs/node.test.ts.
#include "uring/rings.h"

namespace cairn::uring {

const cairn_host* host;
Ring rings[max_rings];
uint32_t ring_count = 0;
plugin::Pool pool;

namespace {

constexpr uint32_t handles = plugin::name_space("uring.handle");

int32_t restore(cairn_descriptor* wanted) {
  Ring* ring = &rings[wanted->token];
  wanted->fd = make_ring(ring);
  if (wanted->fd < 0) return wanted->fd;
  long copy = sys(SYS_fcntl, wanted->fd, F_DUPFD_CLOEXEC, 0);
  ring->handle = copy < 0 ? static_cast<int32_t>(copy) : plugin::hide_handle(host, copy);
  if (ring->handle < 0) return fail(ring->handle, *ring, "there are too many open descriptors (ulimit -n)");
  int32_t error = plugin::publish_handle(host, handles, plugin::file_key(ring->device, ring->inode), ring->handle);
  return error < 0 && error != -ENOENT ? fail(error, *ring, "it cannot be handed out to the other processes") : 0;
}

/// In each process that has it.
int32_t complete(const cairn_descriptor& made) {
  Ring* ring = &rings[made.token];
  note_again(made.fd, ring->set_up);
  if (made.elsewhere != 0 || ring->set_up.events < 0) return 0;
  int32_t events = ring->set_up.events;
  long result = sys(SYS_io_uring_register, made.fd, ring->set_up.events_async ? IORING_REGISTER_EVENTFD_ASYNC : IORING_REGISTER_EVENTFD, pointer(&events), 1);
  return result < 0 ? fail(result, *ring, "its eventfd cannot be registered again") : 0;
}

int32_t restore_mapping(const cairn_mapping& mapping) {
  const Ring& ring = rings[mapping.token];
  int32_t fd = ring.handle >= 0 ? ring.handle : plugin::take_handle(host, handles, plugin::file_key(ring.device, ring.inode));
  if (fd < 0) return fail(fd, ring, "it cannot be taken over from the process that made it again");
  long error = map_there(mapping, fd);
  if (fd != ring.handle) sys(SYS_close, fd);
  return error < 0 ? fail(error, ring, "its queues cannot be mapped where they were") : 0;
}

const char* const restart_barriers[] = {"mapped", nullptr};

int32_t barrier(const char*, uint32_t) {
  for (uint32_t i = 0; i < ring_count; ++i) {
    if (rings[i].handle < 0) continue;
    host->close_fd(rings[i].handle);
    host->remove_name(handles, plugin::file_key(rings[i].device, rings[i].inode));
    rings[i].handle = -1;
  }
  return 0;
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  auto* mapping = static_cast<cairn_mapping*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      ring_count = 0;
      pool.reset();
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return save_ring(descriptor);
    case CAIRN_EVENT_MAPPING_SAVE: return claim_mapping(mapping);
    case CAIRN_EVENT_RESTART:
      forget_set_ups();
      for (uint32_t i = 0; i < ring_count; ++i) rings[i].handle = -1;
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return restore(descriptor);
    case CAIRN_EVENT_DESCRIPTOR_FILL: return complete(*descriptor);
    case CAIRN_EVENT_MAPPING_RESTORE: return restore_mapping(*mapping);
    default: return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return host->publish("cairn.rings/1", &functions);
}

}  // namespace

int32_t fail(int64_t error, const Ring& ring, const char* what) {
  Text<512> text;
  text.add("descriptor ").add(int64_t{ring.fd}).add(" is an io_uring instance: ").add(what);
  return host->fail(static_cast<int32_t>(error), "io_uring", text.text());
}

Ring* find_ring(uint64_t device, uint64_t inode) {
  for (uint32_t i = 0; i < ring_count; ++i) {
    if (rings[i].inode == inode && rings[i].device == device) return &rings[i];
  }
  return nullptr;
}

}  // namespace cairn::uring

extern "C" const struct cairn_plugin cairn_plugin_uring = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "uring", "1.0", "Cairn", cairn::uring::init,
    cairn::uring::event, nullptr, nullptr, cairn::uring::restart_barriers, cairn::uring::barrier,
};
