#include "events/plugin_changes.h"

#include <errno.h>

#include "agent.pb.h"
#include "events/calls.h"
#include "events/guard.h"
#include "events/host.h"
#include "events/wraps.h"

namespace cairn::events {

using sys::Text;

namespace {

/// `event` tells it of them; `otherwise`: why it has not taken them, where it says nothing itself.
bool tell_settings(LoadedPlugin* entry, Text text, cairn_event event, const char* otherwise, sys::Error* error) {
  if (entry->error[0] != 0 || (entry->settings != nullptr && Text(entry->settings) == text)) return true;
  const char* copy = keep_text(text);
  sys::Error* others = facts().error;
  sys::Error own;
  facts().error = &own;
  int32_t result = -ENOMEM;
  if (copy != nullptr) result = entry->plugin->event == nullptr ? 0 : call_event(*entry, event, const_cast<char*>(copy));
  facts().error = others;
  if (result == 1) {
    entry->settings = copy;
    return true;
  }
  // What it says itself need not name it.
  sys::TextBuilder& why = error->set(own.failed() ? own.number() : result < 0 ? result : -ENOTSUP, own.failed() ? own.culprit() : Text(entry->library))
                              .add("plugin ").add(entry->plugin->name);
  if (own.failed()) why.add(" refuses its settings (event ").add(event_name(event)).add("): ").add(own.message());
  else why.add(result < 0 ? " refused its new settings" : otherwise);
  return false;
}

/// -1: built in, or nobody has named it.
int64_t place_given(uint32_t number) {
  const char* library = nullptr;
  for (uint32_t i = 0; (library = setting(cairn_agent_SettingKind_SETTING_PLUGIN, i, nullptr)) != nullptr; ++i) {
    if (is_plugin(number, Text(library))) return i;
  }
  return -1;
}

}  // namespace

bool is_plugin(uint32_t number, Text library) {
  const LoadedPlugin& entry = plugin(number);
  return !entry.out && Text(entry.library) == library;
}

bool change_settings(uint32_t number, Text text, sys::Error* error) {
  wraps_come();
  bool taken = tell_settings(change_plugin(number), text, CAIRN_EVENT_SETTINGS, " takes no other settings at a restart; give it those that it has", error);
  wraps_have_come();
  return taken;
}

bool change_live_settings(Text library, Text text, sys::Error* error) {
  bool taken = true;
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    if (library.empty() || !is_plugin(number, library)) continue;
    taken = tell_settings(change_plugin(number), text, CAIRN_EVENT_SETTINGS_LIVE,
                          " takes no other settings while the program runs; give them at a restart", error) && taken;
  }
  end_guard();
  return taken;
}

bool give_plugin(Text library, Text settings, sys::Error* error) {
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    if (is_plugin(number, library)) return true;
  }
  const uint32_t number = plugin_count();
  const char *path = keep_text(library), *text = keep_text(settings);
  sys::Error* others = facts().error;
  // Threads may hold the locks of libc's loader, as at a restart.
  bool given = path != nullptr && text != nullptr && load_plugin(path, text, error);
  facts().error = others;
  end_guard();
  if (given) return true;
  if (number == plugin_count()) {
    error->set(-ENOMEM, library).add("no memory for a plugin");
    return false;
  }
  if (!error->failed()) error->set(-EINVAL, library).add(plugin(number).error);
  take_out_plugin(number);
  return false;
}

void take_plugin_back(Text library) {
  wraps_come();
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    if (library.empty() || !is_plugin(number, library)) continue;
    remove_wraps(number);
    take_out_plugin(number);
  }
  wraps_have_come();
}

void take_out_plugins() {
  const char *key = nullptr, *library = nullptr;
  wraps_come();
  for (uint32_t i = 0; (key = setting(CAIRN_SETTING_OPTION, i, &library)) != nullptr; ++i) {
    if (!(Text(key) == Text("plugins.without"))) continue;
    for (uint32_t number = 0; number < plugin_count(); ++number) {
      if (!is_plugin(number, Text(library))) continue;
      remove_wraps(number);
      take_out_plugin(number);
    }
  }
  wraps_have_come();
}

void order_as_given() {
  if (order_plugins([](uint32_t first, uint32_t second) { return place_given(first) < place_given(second); })) order_wraps();
}

}  // namespace cairn::events
