#include "events/wraps.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>

#include <utility>

#include "events/host.h"
#include "events/slots.h"
#include "sys/syscall.h"

namespace cairn::events {
namespace {

using sys::Text;

struct Wrap;

/// A definition that is wrapped.
struct Function {
  Module module;               // that has it; dynamic nullptr: this is not in use
  ElfW(Sym)* symbols[4];       // its names: versions that are one function
  uint32_t symbol_count;
  uint32_t resolver;           // of `resolvers`, where the library chooses it by processor; else none
  uintptr_t value;             // as the symbols had it
  uintptr_t original;          // its address
  const char* name;
  const char* below;           // the library that has it, below Cairn's own
  bool own;                    // Cairn's own wrapper
  Wrap* top;                   // highest layer first
};

struct Wrap {
  Wrap* following;             // of all, as they came
  Wrap* below;                 // in the function's layers
  Function* at;                // null: nobody defines it
  uint32_t layer;              // of its plugin
  bool out;                    // removed; threads may still be in it
  const char* function;
  const char* library;         // null: any
  uintptr_t wrapper;
  uintptr_t* next;
  const uint64_t* calls;
  Function memory;             // for the first wrap of a function: in the loader's notice nothing can be allocated
};

Wrap* wraps = nullptr;
Wrap** wraps_end = &wraps;
uint32_t changing = 0;         // a lock, and the mark that a checkpoint looks for
bool watching = false;         // or it was tried
bool plugin_is_coming = false; // of which is not known yet which library is its

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

class Lock {
 public:
  Lock() {
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE) != 0) sys::call_unchecked(SYS_sched_yield);
  }
  ~Lock() { __atomic_store_n(&changing, 0, __ATOMIC_RELEASE); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

/// libcairn.so itself.
bool is_own(const Module& module) { return module.dynamic == _DYNAMIC; }

/// The kernel's library, and the loader.
bool is_of_system(const Module& module) {
  Text name(module.name);
  return module.base == _r_debug.r_ldbase || name.starts_with("linux-vdso.") || name.starts_with("linux-gate.");
}

/// -1: of no plugin from outside.
int32_t plugin_of(const Module& module) {
  for (uint32_t layer = 0; layer < plugin_count(); ++layer) {
    if (plugin(layer).dynamic != nullptr && plugin(layer).dynamic == module.dynamic) return static_cast<int32_t>(layer);
  }
  return -1;
}

/// visit(module), of all that libc has loaded, until it gives true.
template <class Visit>
void for_each_module(Visit visit) {
  for (const link_map* map = _r_debug.r_map; map != nullptr; map = map->l_next) {
    Module module = read_module(map->l_addr, map->l_ld);
    if (!is_of_system(module) && visit(module)) return;
  }
}

const ElfW(Sym)* function_in(const Module& module, const char* name) {
  const ElfW(Sym)* symbol = find_symbol(module, name);
  bool function = symbol != nullptr && symbol->st_value != 0 && (sys::elf::is_function(*symbol) || sys::elf::is_resolver(*symbol));
  return function ? symbol : nullptr;
}

// ---- Layers -------------------------------------------------------------------------------------------------------------

uintptr_t entry_of(const Function& function) { return function.top != nullptr ? function.top->wrapper : function.original; }

/// What a module's own places lead to.
uintptr_t entry_for(const Function& function, int32_t layer) {
  if (layer < 0) return entry_of(function);
  for (const Wrap* wrap = function.top; wrap != nullptr; wrap = wrap->below) {
    if (wrap->layer < static_cast<uint32_t>(layer)) return wrap->wrapper;
  }
  return function.original;
}

/// From below, so that a call that is under way meets every layer below its own.
void link_layers(const Wrap* wrap, uintptr_t original) {
  if (wrap == nullptr) return;
  link_layers(wrap->below, original);
  __atomic_store_n(wrap->next, wrap->below != nullptr ? wrap->below->wrapper : original, __ATOMIC_RELEASE);
}

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
  while (*place != nullptr && (*place)->layer > wrap->layer) place = &(*place)->below;
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

// ---- Places that are bound ----------------------------------------------------------------------------------------------

struct Binding {
  const Module* module;
  int32_t layer;
  bool refused;
};

bool leads_to(const Function& function, uintptr_t address) {
  if (address == function.original) return true;
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->at == &function && wrap->wrapper == address) return true;
  }
  return false;
}

void bind_slot(void* context, const char* name, uintptr_t* place) {
  auto* binding = static_cast<Binding*>(context);
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    const Function& function = wrap->memory;
    if (function.module.dynamic == nullptr || function.name[0] != name[0] || strcmp(function.name, name) != 0) continue;
    const uintptr_t now = __atomic_load_n(place, __ATOMIC_RELAXED), wanted = entry_for(function, binding->layer);
    if (now == wanted || !leads_to(function, now)) continue;
    binding->refused = !write_word(*binding->module, place, wanted) || binding->refused;
  }
}

/// False: this system forbids it.
bool bind_all() {
  Binding binding = {nullptr, -1, false};
  auto bind = [&](const Module& module, int32_t layer) {
    binding.module = &module;
    binding.layer = layer;
    for_each_slot(module, bind_slot, &binding);
  };
  for_each_module([&](const Module& module) {
    if (!is_own(module) && plugin_of(module) < 0) bind(module, -1);
    return false;
  });
  for (uint32_t layer = 0; layer < plugin_count(); ++layer) {
    const LoadedPlugin& entry = plugin(layer);
    if (entry.dynamic != nullptr) bind(read_module(entry.base, static_cast<const ElfW(Dyn)*>(entry.dynamic)), static_cast<int32_t>(layer));
  }
  return !binding.refused;
}

// ---- Where functions are ------------------------------------------------------------------------------------------------

/// The first that has it, as the program would find it; Cairn's own in front of the C library's.
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
  found->below = wanted.name;
  found->own = !in_program && wanted.dynamic == first.dynamic && own_comes_before && own.dynamic != nullptr && function_in(own, wrap.function) != nullptr;
  found->module = found->own ? own : wanted;
  found->name = wrap.function;
  return true;
}

Function* known_function(const Function& found) {
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    Function& known = wrap->memory;
    if (known.module.dynamic == found.module.dynamic && known.module.base == found.module.base && Text(known.name) == Text(found.name)) return &known;
  }
  return nullptr;
}

/// bound: the libraries are, so that one may be asked which function it chooses.
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

/// False: nobody defines it.
bool place(Wrap* wrap, bool bound) {
  Function found;
  if (!find_function(*wrap, &found)) return false;
  Function* function = known_function(found);
  if (function == nullptr) {
    if (!note_function(&found, bound)) return false;
    wrap->memory = found;
    function = &wrap->memory;
  }
  put_in(wrap, function);
  if (!publish(function)) host_warning("this system forbids to change a library's table of functions: plugins do not see calls of ", wrap->function);
  return true;
}

void forget_functions_of_unloaded() {
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    Function& function = wrap->memory;
    bool there = function.module.dynamic == nullptr;
    for (const link_map* map = _r_debug.r_map; map != nullptr && !there; map = map->l_next) {
      there = map->l_ld == function.module.dynamic && map->l_addr == function.module.base;
    }
    if (there) continue;
    for (Wrap* one = wraps; one != nullptr; one = one->following) {
      if (one->at != &function) continue;
      one->at = nullptr;
      if (!one->out) __atomic_store_n(one->next, 0, __ATOMIC_RELEASE);
    }
    function = {};
  }
}

/// How many of those that waited wait no more.
uint32_t place_waiting(bool bound) {
  uint32_t placed = 0;
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->at == nullptr && !wrap->out && place(wrap, bound)) ++placed;
  }
  return placed;
}

/// Called by libc's loader in place of a function that does nothing: when it has put libraries into its list, before it binds them; and
/// when it has taken some out.
void libraries_changed() {
  if (_r_debug.r_state != r_debug::RT_CONSISTENT) return;
  Lock lock;
  forget_functions_of_unloaded();
  if (!plugin_is_coming) (void)place_waiting(false);
}

void watch_loader() {
  if (watching) return;
  watching = true;
  for (const link_map* map = _r_debug.r_map; map != nullptr; map = map->l_next) {
    if (map->l_addr != _r_debug.r_ldbase) continue;
    Module loader = read_module(map->l_addr, map->l_ld);
    if (lead_empty_function(loader, _r_debug.r_brk, libraries_changed)) return;
  }
  host_warning("this C library's loader does not tell of libraries that it loads: functions of those are not wrapped", "");
}

}  // namespace

void plugin_comes() { plugin_is_coming = true; }

void plugin_has_come() {
  plugin_is_coming = false;
  if (wraps == nullptr) return;
  Lock lock;
  if (place_waiting(true) > 0) (void)bind_all();
}

int32_t add_wrap(uint32_t layer, const cairn_wrap& wanted) {
  if (wanted.size < sizeof wanted || wanted.function == nullptr || wanted.function[0] == 0 || wanted.wrapper == nullptr || wanted.next == nullptr) return -EINVAL;
  auto* wrap = static_cast<Wrap*>(allocate(sizeof(Wrap)));
  const char* function = keep_text(wanted.function);
  const char* library = wanted.library != nullptr ? keep_text(wanted.library) : nullptr;
  if (wrap == nullptr || function == nullptr || (wanted.library != nullptr && library == nullptr)) return -ENOMEM;
  wrap->layer = layer;
  wrap->function = function;
  wrap->library = library;
  wrap->wrapper = reinterpret_cast<uintptr_t>(wanted.wrapper);
  wrap->next = reinterpret_cast<uintptr_t*>(wanted.next);
  wrap->calls = wanted.calls;
  Lock lock;
  watch_loader();
  *wraps_end = wrap;
  wraps_end = &wrap->following;
  if (!place(wrap, true)) return 0;
  if (!bind_all()) host_warning("this system forbids to change what a library was bound to: plugins do not see all calls of ", function);
  return 1;
}

int32_t remove_wrap(uint32_t layer, const cairn_wrap& wanted) {
  Lock lock;
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    bool same = wrap->layer == layer && !wrap->out && wrap->wrapper == reinterpret_cast<uintptr_t>(wanted.wrapper) &&
                wrap->next == reinterpret_cast<uintptr_t*>(wanted.next) && Text(wrap->function) == Text(wanted.function);
    if (!same) continue;
    wrap->out = true;
    if (wrap->at == nullptr) return 0;
    take_out(wrap);
    (void)publish(wrap->at);
    (void)bind_all();
    return 0;
  }
  return -ENOENT;
}

void remove_wraps(uint32_t layer) {
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->layer != layer || wrap->out) continue;
    cairn_wrap same = {sizeof(cairn_wrap), 0, wrap->function, wrap->library, reinterpret_cast<cairn_function>(wrap->wrapper),
                       reinterpret_cast<cairn_function*>(wrap->next), nullptr};
    (void)remove_wrap(layer, same);
  }
}

bool wraps_are_changing() { return __atomic_load_n(&changing, __ATOMIC_ACQUIRE) != 0; }
void forget_changing_wraps() { __atomic_store_n(&changing, 0, __ATOMIC_RELEASE); }

void wrap_rows(void (*emit)(void* context, const cairn_row* row, const char* owner), void* context) {
  auto say = [&](const char* function, const char* library, const char* owner, Text layer, const uint64_t* calls) {
    sys::TextBuffer<128> detail;
    detail.add(layer);
    if (calls != nullptr) detail.add(", ").unsigned_number(__atomic_load_n(calls, __ATOMIC_RELAXED)).add(" calls");
    cairn_row row = {};
    row.size = sizeof row;
    row.virtual_name = function;
    row.real_name = library;
    row.detail = detail.c_str();
    emit(context, &row, owner);
  };
  for (const Wrap* first = wraps; first != nullptr; first = first->following) {
    if (first->at == nullptr && !first->out) {
      say(first->function, first->library != nullptr ? first->library : "", plugin(first->layer).plugin->name, "waits for a library that defines it", nullptr);
    }
    const Function& function = first->memory;
    if (function.module.dynamic == nullptr || function.top == nullptr) continue;
    const char* library = function.below[0] != 0 ? function.below : "the program";
    for (const Wrap* wrap = function.top; wrap != nullptr; wrap = wrap->below) {
      say(function.name, library, plugin(wrap->layer).plugin->name, sys::TextBuffer<32>().add("layer ").unsigned_number(wrap->layer).text(), wrap->calls);
    }
    if (function.own) say(function.name, library, "cairn", "Cairn's own", nullptr);
  }
}

}  // namespace cairn::events
