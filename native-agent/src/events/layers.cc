#include "events/layers.h"

namespace cairn::events {
namespace {

// Constant: the program's plugins are loaded before this file's own initialisers would run.
constinit LoadedPlugin plugins[max_plugins] = {};
uint32_t loaded = 0;
uint32_t numbers[max_plugins];  // by layer
uint32_t in_use = 0;

}  // namespace

uint32_t plugin_count() { return loaded; }
const LoadedPlugin& plugin(uint32_t number) { return plugins[number]; }
LoadedPlugin* change_plugin(uint32_t number) { return &plugins[number]; }
uint32_t number_of(const LoadedPlugin& entry) { return static_cast<uint32_t>(&entry - plugins); }

uint32_t layer_count() { return in_use; }
const LoadedPlugin& in_layer(uint32_t layer) { return plugins[numbers[layer]]; }

uint32_t layer_of(uint32_t number) {
  for (uint32_t layer = 0; layer < in_use; ++layer) {
    if (numbers[layer] == number) return layer;
  }
  return no_layer;
}

LoadedPlugin* add_plugin() {
  if (loaded == max_plugins) return nullptr;
  numbers[in_use++] = loaded;
  return &plugins[loaded++];
}

void take_out_plugin(uint32_t number) {
  const uint32_t layer = layer_of(number);
  if (layer == no_layer) return;
  plugins[number].out = true;
  --in_use;
  for (uint32_t above = layer; above < in_use; ++above) numbers[above] = numbers[above + 1];
}

bool order_plugins(Below below) {
  bool changed = false;
  for (uint32_t layer = 1; layer < in_use; ++layer) {
    for (uint32_t place = layer; place > 0 && below(numbers[place], numbers[place - 1]); --place) {
      uint32_t lower = numbers[place - 1];
      numbers[place - 1] = numbers[place];
      numbers[place] = lower;
      changed = true;
    }
  }
  return changed;
}

}  // namespace cairn::events
