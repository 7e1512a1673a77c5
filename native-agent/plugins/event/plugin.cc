// The built-in plugin `event`: eventfd, timerfd, signalfd, epoll, inotify, pidfd: descriptors that tell of events. Others of that
// kind, which no program can read the state of, are refused by name.
// Here: events of the engine, and which kind a descriptor is. Counters and signals: counters.cc; timers: timers.cc; epoll:
// interests.cc; inotify: watches.cc and moved.cc; folders that tell by signals: notices.cc; pidfd: processes.cc; time-outs: polling.cc and
// waiting.cc.
// A layer above `file`: watches are set again when all files are in place, so that they see nothing of the restart.
// Tests: test/probes (events).
#include "event/events.h"

namespace cairn::event {

const cairn_host* host;
Table table;
plugin::Pool pool;

int64_t field(const char* line, const char* name, unsigned base) {
  for (; *line != 0; ++line) {
    const char* rest;
    if (plugin::begins(line, name, &rest)) return number_at(&rest, base);
  }
  return 0;
}

int32_t fail(int32_t error, const Instance& instance, const char* what) {
  static const char* const names[] = {"eventfd", "timerfd", "signalfd", "epoll", "inotify", "pidfd"};
  const char* name = names[static_cast<uint32_t>(instance.kind)];
  Text<512> text;
  text.add(name).add(": ").add(what).add(" (descriptor ").add(int64_t{instance.fd}).add(")");
  return host->fail(error, name, text.text());
}

namespace {

struct Functions {
  const char* path;  // as the kernel shows it
  int32_t (*save)(Instance*);
  int32_t (*make)(const Instance&);
};
// In the order of Kind.
const Functions kinds[] = {
    {"anon_inode:[eventfd]", save_counter, make_counter},    {"anon_inode:[timerfd]", save_timer, make_timer},
    {"anon_inode:[signalfd]", save_signals, make_signals},   {"anon_inode:[eventpoll]", save_interests, make_interests},
    {"anon_inode:inotify", save_watches, make_watches},      {"anon_inode:[pidfd]", save_process, make_process},
};
const Functions& functions_of(const Instance& instance) { return kinds[static_cast<uint32_t>(instance.kind)]; }

int32_t refuse(const cairn_descriptor& offer) {
  struct Name {
    const char* path;
    const char* words;
  };
  static const Name names[] = {
      {"anon_inode:[fanotify]", "a fanotify group"},
      {"anon_inode:[userfaultfd]", "a userfaultfd, which handles page faults"},
      {"anon_inode:[perf_event]", "a performance counter (perf)"},
  };
  for (const Name& name : names) {
    if (!plugin::same(offer.path, name.path)) continue;
    Text<512> text;
    text.add("descriptor ").add(int64_t{offer.fd}).add(" is ").add(name.words).add(" (").add(name.path)
        .add("), whose state cannot be saved; close it before the checkpoint. The computation runs on");
    return host->fail(-ENOTSUP, name.path, text.text());
  }
  return 0;
}

int32_t claim(cairn_descriptor* offer) {
  for (uint32_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; ++kind) {
    if (!plugin::same(offer->path, kinds[kind].path)) continue;
    if (table.count == max_instances) return host->fail(-EMFILE, offer->path, "more than 4096 of eventfd, timerfd, epoll and their kin");
    Instance* instance = &table.instances[table.count];
    *instance = {};
    instance->kind = static_cast<Kind>(kind);
    instance->fd = offer->fd;
    instance->flags = offer->status_flags;
    instance->elsewhere = offer->elsewhere != 0;
    offer->token = table.count++;
    int32_t error = kinds[kind].save(instance);
    return error < 0 ? error : 1;
  }
  return refuse(*offer);
}

int32_t make(cairn_descriptor* wanted) {
  const Instance& instance = table.instances[wanted->token];
  wanted->fd = functions_of(instance).make(instance);
  if (wanted->fd < 0) return fail(wanted->fd, instance, "it cannot be made again");
  sys(SYS_fcntl, wanted->fd, F_SETFL, wanted->status_flags);
  return 0;
}

int32_t complete(const cairn_descriptor& made) {
  Instance& instance = table.instances[made.token];
  if (instance.kind == Kind::watches && !instance.elsewhere) {
    instance.held = static_cast<int32_t>(sys(SYS_fcntl, made.fd, F_DUPFD_CLOEXEC, 0));
    if (instance.held < 0) return fail(instance.held, instance, "it cannot be held until it has its watches");
  }
  if (instance.kind == Kind::interests) return add_interests(instance, made.fd);
  if (instance.kind == Kind::timer && !instance.elsewhere) return start_timer(instance, made.fd);
  return 0;
}

int32_t event(uint32_t number, void* data) {
  auto* descriptor = static_cast<cairn_descriptor*>(data);
  switch (number) {
    case CAIRN_EVENT_PRESUSPEND:
      table.count = 0;
      pool.reset();
      return 0;
    case CAIRN_EVENT_PRECHECKPOINT: note_time(); return check_notices();
    case CAIRN_EVENT_RESUME: set_waits_right(false); return 0;
    case CAIRN_EVENT_FORK_CHILD:
      forget_waits();
      forget_notices();
      return 0;
    case CAIRN_EVENT_DESCRIPTOR_SAVE: return claim(descriptor);
    case CAIRN_EVENT_DESCRIPTOR_RESTORE: return make(descriptor);
    case CAIRN_EVENT_DESCRIPTOR_FILL: return complete(*descriptor);
    default: return 0;
  }
}

const char* const restart_barriers[] = {"watch", nullptr};

int32_t barrier(const char*, uint32_t) {
  set_waits_right(true);
  for (uint32_t i = 0; i < table.count; ++i) {
    const Instance& instance = table.instances[i];
    if (instance.kind != Kind::watches || instance.elsewhere) continue;
    int32_t error = add_watches(instance, instance.held);
    sys(SYS_close, instance.held);
    if (error < 0) return error;
  }
  return set_notices();
}

int32_t init(const cairn_host* given, const char*) {
  host = given;
  prepare_polling();
  prepare_waiting();
  return host->publish("cairn.watches/1", &watch_functions);
}

}  // namespace
}  // namespace cairn::event

extern "C" const struct cairn_plugin cairn_plugin_event = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "event", "1.0", "Cairn", cairn::event::init,
    cairn::event::event, nullptr, nullptr, cairn::event::restart_barriers, cairn::event::barrier,
};
