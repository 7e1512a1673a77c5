// The plugins of this process. Each has a number for the process's life, restarts included: what is saved goes by it. Those in use stand in
// layers, which a restart may change: plugins from outside are taken out, or stand in another order. What is told to the outside, and what
// decides who comes first, are layers.
// Context: changed in [init] and [restoring] only. State is part of the image. Test: test/probes/plugin-changes.test.ts.
#pragma once
#include <cairn/plugin.h>

namespace cairn::events {

inline constexpr uint32_t max_plugins = 64;
/// Of a plugin that was taken out.
inline constexpr uint32_t no_layer = ~0u;

struct LoadedPlugin {
  const cairn_plugin* plugin;
  const char* library;  // empty: built in
  const char* error;    // empty: in use
  const char* settings; // JSON text
  uint64_t base = 0;              // of a library that is loaded; wraps.h
  const void* dynamic = nullptr;  // its dynamic section; null: built in, or not loaded
  bool out = false;     // taken out: it is called no more. Its code stays, since threads may be in it
};

/// How many there are, those taken out among them.
uint32_t plugin_count();
const LoadedPlugin& plugin(uint32_t number);
uint32_t number_of(const LoadedPlugin& entry);

/// Layer 0 first.
uint32_t layer_count();
const LoadedPlugin& in_layer(uint32_t layer);
uint32_t layer_of(uint32_t number);

/// In the highest layer; nullptr: there is no room.
LoadedPlugin* add_plugin();
LoadedPlugin* change_plugin(uint32_t number);
void take_out_plugin(uint32_t number);
/// Whether the first of two plugins has to stand below the other.
using Below = bool (*)(uint32_t first, uint32_t second);
/// Plugins that `below` says nothing of stay as they are to each other. True: something changed.
bool order_plugins(Below below);

}  // namespace cairn::events
