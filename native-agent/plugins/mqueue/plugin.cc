// The built-in plugin `mqueue`: POSIX message queues that a process has open, with messages and priorities, attributes, names, and who is
// to be told of a message (mq_notify). Here: events and barriers. A layer above `file`, which would take a queue for a file.
// Tests: test/probes/posix/queues.c
#include "mqueue/queues.h"

namespace cairn::mqueue {

const cairn_host* host;
Queue queues[max_queues];
uint32_t queue_count = 0;
plugin::Pool pool;

namespace {

const char* const restart_barriers[] = {"finish", nullptr};

int32_t barrier(const char*, uint32_t) { return finish(); }

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND: forget_queues(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim(descriptor);
    case CAIRN_EVENT_PRECHECKPOINT: return read_messages();
    case CAIRN_EVENT_RESUME:
    case CAIRN_EVENT_ABORT: return notify_again();
    case CAIRN_EVENT_RESTART: return make_queues();
    case CAIRN_EVENT_FORK_CHILD: forget_notice_threads(); return 0;
    case CAIRN_EVENT_RESTART_FAILED: remove_made(); return 0;
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return restore(descriptor);
    default: return 0;
  }
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_calls();
  return 0;
}

}  // namespace

int32_t fail(long error, const Queue& queue, const char* what) {
  Text<512> text;
  text.add("descriptor ").add(int64_t{queue.fd}).add(" is the message queue ").add(queue.name).add(": ").add(what);
  return host->fail(static_cast<int32_t>(error), queue.name, text.text());
}

long open_again(int32_t fd, int flags) {
  Text<64> link;
  link.add("/proc/thread-self/fd/").add(int64_t{fd});
  return sys(SYS_openat, AT_FDCWD, pointer(link.text()), flags | O_CLOEXEC, 0);
}

}  // namespace cairn::mqueue

extern "C" const struct cairn_plugin cairn_plugin_mqueue = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "mqueue", "1.0", "Cairn", cairn::mqueue::init,
    cairn::mqueue::event, nullptr, nullptr, cairn::mqueue::restart_barriers, cairn::mqueue::barrier,
};
