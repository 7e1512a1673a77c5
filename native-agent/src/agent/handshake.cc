#include "agent/handshake.h"

#include <errno.h>
#include <sys/utsname.h>

#include "agent.pb.h"
#include "agent/log.h"
#include "events/guard.h"
#include "events/host.h"
#include "events/names.h"
#include "events/plugin_changes.h"
#include "sys/file.h"
#include "sys/futex.h"

namespace cairn::agent {
namespace {

using sys::Status;
using sys::Text;
using wire::decode_text;
using wire::encode_text;

constexpr uint32_t protocol_major = 1;
constexpr uint32_t protocol_minor = 0;
constexpr uint64_t patience_ns = 10'000'000'000;

char command_line[64 * 1024];
long command_line_size = 0;

/// Longer ones are shown in part.
void read_command_line(int32_t process) {
  sys::TextBuffer<64> path;
  path.add("/proc/").number(process).add("/cmdline");
  sys::UniqueFd fd = sys::open(path.c_str(), O_RDONLY);
  command_line_size = fd.ok() ? sys::call(SYS_read, fd.get(), command_line, sizeof command_line) : 0;
}

/// What Hello tells of the process and has to be read from files.
struct Facts {
  int32_t process;
  int32_t agent_tid;  // Cairn's own thread; 0: there is none yet
  uint32_t threads;   // the application's
};

void read_facts(void* context) {
  auto* facts = static_cast<Facts*>(context);
  read_command_line(facts->process);
  facts->threads = 0;
  sys::TextBuffer<64> path;
  path.add("/proc/").number(facts->process).add("/task");
  (void)sys::for_each_entry(path.c_str(), [&](Text) {
    ++facts->threads;
    return true;
  });
  if (facts->agent_tid != 0) --facts->threads;
}

bool broken(Status status, sys::Error* error) {
  error->set(status, "coordinator").add("the connection to the coordinator broke during the handshake");
  return false;
}

void join_names(const char* const* names, sys::TextBuilder* text) {
  for (; names != nullptr && *names != nullptr; ++names) {
    if (text->size() > 0) text->add('\0');
    text->add(*names);
  }
}

}  // namespace

void Handshake::look_after_fork() { read_command_line(static_cast<int32_t>(sys::call(SYS_getpid))); }

bool Handshake::run(Occasion occasion, sys::Error* error) {
  return say_hello(occasion, error) && take_settings(occasion, error) && load_plugins(occasion, error) && describe_plugins(error);
}

bool Handshake::say_hello(Occasion occasion, sys::Error* error) {
  struct utsname system = {};
  sys::call_unchecked(SYS_uname, &system);
  Facts facts = {static_cast<int32_t>(sys::call(SYS_getpid)), agent_->agent_tid_, 1};
  if (occasion != forked) agent_->aside(read_facts, &facts);
  Text host(system.nodename), build_id(agent_->facts_.build_id), executable(agent_->identity_.executable);
  Text computation(agent_->identity_.computation), snapshot(agent_->identity_.snapshot);
  Text arguments(command_line, command_line_size > 1 ? static_cast<size_t>(command_line_size - 1) : 0), architecture(sys::processor::architecture);

  cairn_agent_Hello hello = cairn_agent_Hello_init_zero;
  hello.protocol_major = protocol_major;
  hello.protocol_minor = protocol_minor;
  hello.build_id = encode_text(&build_id);
  hello.role = cairn_agent_Role_ROLE_AGENT;
  hello.virtual_pid = agent_->identity_.virtual_pid;
  hello.real_pid = static_cast<int32_t>(sys::call(SYS_getpid));
  hello.virtual_ppid = agent_->identity_.virtual_parent;
  hello.start_time = agent_->identity_.start_time;
  hello.host = encode_text(&host);
  hello.executable = encode_text(&executable);
  hello.session_id = encode_text(&computation);
  hello.snapshot = encode_text(&snapshot);
  hello.threads = facts.threads;
  hello.reconnected = agent_->connected_once_ != 0;
  hello.command_line = encode_text(&arguments);
  hello.architecture = encode_text(&architecture);
  hello.host_number = events::host_number();
  Status status = agent_->channel_.send(1, cairn_agent_Message_hello_tag, cairn_agent_Hello_fields, &hello);
  if (status != 0) return broken(status, error);

  wire::Envelope envelope;
  status = agent_->channel_.receive(&envelope, sys::now_ns() + patience_ns);
  if (status != 0) return broken(status, error);
  Text refusal;
  cairn_agent_HelloReply reply = cairn_agent_HelloReply_init_zero;
  reply.refusal = decode_text(&refusal);
  if (envelope.field != cairn_agent_Message_hello_reply_tag ||
      !wire::decode(envelope.body, cairn_agent_HelloReply_fields, &reply)) {
    return broken(-EPROTO, error);
  }
  if (!refusal.empty()) error->set(reply.over ? -ESHUTDOWN : -ECONNREFUSED, "coordinator").add(refusal);
  return refusal.empty();
}

bool Handshake::take_settings(Occasion occasion, sys::Error* error) {
  bool wanted = occasion == launched || occasion == restarted;
  if (wanted) events::clear_settings();
  for (;;) {
    wire::Envelope envelope;
    Status status = agent_->channel_.receive(&envelope, sys::now_ns() + patience_ns);
    if (status != 0) return broken(status, error);
    if (envelope.field == cairn_agent_Message_settings_end_tag) break;
    if (envelope.field != cairn_agent_Message_setting_tag) return broken(-EPROTO, error);
    Text key, value;
    cairn_agent_Setting setting = cairn_agent_Setting_init_zero;
    setting.key = decode_text(&key);
    setting.value = decode_text(&value);
    if (!wire::decode(envelope.body, cairn_agent_Setting_fields, &setting)) return broken(-EPROTO, error);
    // Otherwise plugins have long been told; but a process may have been forked just before their settings changed.
    if (!wanted && setting.kind == cairn_agent_SettingKind_SETTING_PLUGIN) change_live(key, value);
    if (wanted && !events::add_setting(setting.kind, key, value)) {
      error->set(-ENOMEM, "settings").add("no memory for the settings");
      return false;
    }
  }
  return true;
}

void Handshake::change_live(Text library, Text settings) {
  sys::Error error;
  if (!events::change_live_settings(library, settings, &error)) log(CAIRN_LOG_WARNING, sys::TextBuffer<1024>().add(error.message()).c_str());
}

bool Handshake::load_plugins(Occasion occasion, sys::Error* error) {
  if (occasion == restarted) events::take_out_plugins();
  const char* library = nullptr;
  const char* settings = nullptr;
  for (uint32_t i = 0; (library = events::setting(cairn_agent_SettingKind_SETTING_PLUGIN, i, &settings)) != nullptr; ++i) {
    bool known = false;
    for (uint32_t number = 0; number < events::plugin_count(); ++number) {
      if (!events::is_plugin(number, Text(library))) continue;
      known = true;
      if (occasion == restarted && !events::change_settings(number, Text(settings), error)) return false;
    }
    if (known) continue;
    if (occasion != restarted) {
      if (occasion != reconnected) events::load_plugin(library, settings);
    } else if (!events::load_plugin(library, settings, error)) {
      // Whoever asks for a plugin at a restart does not want to restart without it.
      if (!error->failed()) error->set(-EINVAL, library).add(events::plugin(events::plugin_count() - 1).error);
      return false;
    }
  }
  if (occasion == restarted) events::order_as_given();
  // At a launch it was for this thread, which is the program's own from now on, with faults that are no plugin's.
  else events::end_guard();
  return true;
}

bool Handshake::describe_plugins(sys::Error* error) {
  for (uint32_t layer = 0; layer < events::layer_count(); ++layer) {
    const events::LoadedPlugin& entry = events::in_layer(layer);
    const cairn_plugin* plugin = entry.plugin;
    sys::TextBuffer<2048> checkpoint_barriers, restart_barriers;
    join_names(plugin->checkpoint_barriers, &checkpoint_barriers);
    join_names(plugin->restart_barriers, &restart_barriers);
    Text name(plugin->name), version(plugin->version ? plugin->version : ""), author(plugin->author ? plugin->author : "");
    Text library(entry.library), problem(entry.error), barriers = checkpoint_barriers.text(), restarts = restart_barriers.text();
    cairn_agent_PluginInfo info = cairn_agent_PluginInfo_init_zero;
    info.name = encode_text(&name);
    info.version = encode_text(&version);
    info.author = encode_text(&author);
    info.library = encode_text(&library);
    info.layer = layer;
    info.barriers = encode_text(&barriers);
    info.restart_barriers = encode_text(&restarts);
    info.error = encode_text(&problem);
    Status status = agent_->channel_.put(0, cairn_agent_Message_plugin_info_tag, cairn_agent_PluginInfo_fields, &info);
    if (status != 0) return broken(status, error);
  }
  cairn_agent_Ready ready = cairn_agent_Ready_init_zero;
  Status status = agent_->channel_.send(0, cairn_agent_Message_ready_tag, cairn_agent_Ready_fields, &ready);
  return status == 0 || broken(status, error);
}

}  // namespace cairn::agent
