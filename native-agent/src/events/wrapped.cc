#include "events/wrapped.h"

#include <elf.h>
#include <string.h>

#include <utility>

#include "events/host.h"
#include "events/slots.h"
#include "events/traced_calls.h"

namespace cairn::events {
namespace {

using sys::Text;

constexpr uint32_t none = ~0u;
constexpr uint32_t resolver_count = 64;
/// What resolvers give: a library that chooses a function is asked by the loader, so another one has to answer in its place.
uintptr_t resolved[resolver_count];
uint32_t resolvers_used = 0;
template <uint32_t number>
uintptr_t resolve() { return __atomic_load_n(&resolved[number], __ATOMIC_ACQUIRE); }
template <uint32_t... numbers>
uintptr_t resolver_address(uint32_t number, std::integer_sequence<uint32_t, numbers...>) {
  static uintptr_t (*const all[])() = {resolve<numbers>...};
  return reinterpret_cast<uintptr_t>(all[number]);
}

/// libcairn.so itself.
bool is_own(const Module& module) { return module.dynamic == _DYNAMIC; }

/// The kernel's library, and the loader.
bool is_of_system(const Module& module) {
  Text name(module.name);
  return module.base == _r_debug.r_ldbase || name.starts_with("linux-vdso.") || name.starts_with("linux-gate.");
}

/// Its number; -1: of no plugin from outside.
int32_t plugin_of(const Module& module) {
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    if (plugin(number).dynamic != nullptr && plugin(number).dynamic == module.dynamic) return static_cast<int32_t>(number);
  }
  return -1;
}

/// visit(module), of all that libc has loaded, until it gives true.
template <class Visit>
void for_each_module(Visit visit) {
  for (const link_map* map = _r_debug.r_map; map != nullptr; map = map->l_next) {
    if (!is_mapped(map)) continue;
    Module module = read_module(map->l_addr, map->l_ld);
    // Where a library does not name itself, the loader goes by its file.
    const char* file = strrchr(map->l_name, '/');
    if (module.name[0] == 0 && map->l_name[0] != 0) module.name = file != nullptr ? file + 1 : map->l_name;
    if (!is_of_system(module) && visit(module)) return;
  }
}

const ElfW(Sym)* function_in(const Module& module, const char* name) {
  const ElfW(Sym)* symbol = find_symbol(module, name);
  bool function = symbol != nullptr && symbol->st_value != 0 && (sys::elf::is_function(*symbol) || sys::elf::is_resolver(*symbol));
  return function ? symbol : nullptr;
}

/// What the places of a module lead to: of a plugin, or (-1) of none. A plugin that was taken out, in which threads may be, is below all.
uintptr_t entry_for(const Function& function, int32_t number) {
  if (number < 0) return entry_of(function);
  const uint32_t layer = layer_of(static_cast<uint32_t>(number));
  for (const Wrap* wrap = function.top; wrap != nullptr && layer != no_layer; wrap = wrap->below) {
    if (layer_of(wrap->plugin) < layer) return entry_of(*wrap);
  }
  return function.original;
}

/// From below, so that a call that is under way meets every layer below its own.
void link_layers(const Wrap* wrap, uintptr_t original) {
  if (wrap == nullptr) return;
  link_layers(wrap->below, original);
  __atomic_store_n(wrap->next, wrap->below != nullptr ? entry_of(*wrap->below) : original, __ATOMIC_RELEASE);
}

struct Binding {
  const Wrap* wraps;
  const Module* module;
  int32_t plugin;
  bool refused;
};

bool leads_to(const Wrap* wraps, const Function& function, uintptr_t address) {
  if (address == function.original) return true;
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->at == &function && (wrap->wrapper == address || traced_entry(wrap->number) == address)) return true;
  }
  return false;
}

void bind_slot(void* context, const char* name, uintptr_t* place) {
  auto* binding = static_cast<Binding*>(context);
  for (const Wrap* wrap = binding->wraps; wrap != nullptr; wrap = wrap->following) {
    const Function& function = wrap->memory;
    if (function.module.dynamic == nullptr || function.name[0] != name[0] || strcmp(function.name, name) != 0) continue;
    const uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED), wanted = entry_for(function, binding->plugin);
    if (now == wanted || !leads_to(binding->wraps, function, now)) continue;
    binding->refused = !write_word(*binding->module, place, wanted) || binding->refused;
  }
}

}  // namespace

// ---- Layers -------------------------------------------------------------------------------------------------------------

bool calls_are_traced = false;

uintptr_t entry_of(const Wrap& wrap) {
  const uintptr_t entry = calls_are_traced ? traced_entry(wrap.number) : 0;
  return entry != 0 ? entry : wrap.wrapper;
}

uintptr_t entry_of(const Function& function) { return function.top != nullptr ? entry_of(*function.top) : function.original; }

void link_again(Function* function) { link_layers(function->top, function->original); }

bool publish(Function* function) {
  uintptr_t value = function->value;
  if (function->resolver != none) {
    __atomic_store_n(&resolved[function->resolver], entry_of(*function), __ATOMIC_RELEASE);
    if (function->top != nullptr) {
      value = resolver_address(function->resolver, std::make_integer_sequence<uint32_t, resolver_count>()) - function->module.base;
    }
  } else if (function->top != nullptr) {
    value = entry_of(*function) - function->module.base;
  }
  bool ok = true;
  for (uint32_t i = 0; i < function->symbol_count; ++i) {
    const auto* place = reinterpret_cast<const uintptr_t*>(&function->symbols[i]->st_value);
    ok = write_word(function->module, place, value) && ok;
  }
  return ok;
}

void put_in(Wrap* wrap, Function* function) {
  wrap->at = function;
  Wrap** place = &function->top;
  while (*place != nullptr && layer_of((*place)->plugin) > layer_of(wrap->plugin)) place = &(*place)->below;
  wrap->below = *place;
  link_layers(wrap, function->original);
  *place = wrap;
  link_layers(function->top, function->original);
}

void take_out(Wrap* wrap) {
  for (Wrap** place = &wrap->at->top; *place != nullptr; place = &(*place)->below) {
    if (*place != wrap) continue;
    *place = wrap->below;
    break;
  }
  // The wrap's own next stays: threads may be in it.
  link_layers(wrap->at->top, wrap->at->original);
}

// ---- Places -------------------------------------------------------------------------------------------------------------

bool bind_places(const Wrap* wraps) {
  Binding binding = {wraps, nullptr, -1, false};
  auto bind = [&](const Module& module, int32_t number) {
    binding.module = &module;
    binding.plugin = number;
    for_each_slot(module, bind_slot, &binding);
  };
  for_each_module([&](const Module& module) {
    if (!is_own(module) && plugin_of(module) < 0) bind(module, -1);
    return false;
  });
  for (uint32_t number = 0; number < plugin_count(); ++number) {
    const LoadedPlugin& entry = plugin(number);
    if (entry.dynamic != nullptr) bind(read_module(entry.base, static_cast<const ElfW(Dyn)*>(entry.dynamic)), static_cast<int32_t>(number));
  }
  return !binding.refused;
}

bool find_function(const Wrap& wrap, Function* found) {
  Module own, first, wanted;
  bool own_comes_before = facts().interposed_late, seen_own = false, in_program = false;
  for_each_module([&](const Module& module) {
    const bool program = module.dynamic == _r_debug.r_map->l_ld;
    if (is_own(module)) {
      own = module;
      seen_own = true;
      return false;
    }
    if (plugin_of(module) >= 0 || function_in(module, wrap.function) == nullptr) return false;
    if (wanted.dynamic == nullptr && (wrap.library == nullptr || Text(wrap.library) == Text(module.name))) {
      wanted = module;
      in_program = program;
    }
    if (!program && first.dynamic == nullptr) {
      first = module;
      own_comes_before = own_comes_before || seen_own;
    }
    return false;
  });
  if (wanted.dynamic == nullptr) return false;
  *found = {};
  sys::TextBuilder(found->below, sizeof found->below).add(in_program ? "the program" : wanted.name);
  found->own = !in_program && wanted.dynamic == first.dynamic && own_comes_before && own.dynamic != nullptr && function_in(own, wrap.function) != nullptr;
  found->module = found->own ? own : wanted;
  found->name = wrap.function;
  return true;
}

bool note_function(Function* function, bool bound) {
  const ElfW(Sym)* symbol = function_in(function->module, function->name);
  function->resolver = none;
  if (sys::elf::is_resolver(*symbol)) {
    if (!bound || resolvers_used == resolver_count) return false;
    function->resolver = resolvers_used++;
  }
  function->value = symbol->st_value;
  function->original = static_cast<uintptr_t>(address_of(function->module, *symbol));
  for_each_version(function->module, function->name, [](void* context, const ElfW(Sym)* version) {
    auto* to = static_cast<Function*>(context);
    if (version->st_value == to->value && to->symbol_count < 4) to->symbols[to->symbol_count++] = const_cast<ElfW(Sym)*>(version);
  }, function);
  return true;
}

}  // namespace cairn::events
