#include "events/wraps.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "events/host.h"
#include "events/slots.h"
#include "events/traced_calls.h"
#include "events/wrapped.h"
#include "sys/syscall.h"

namespace cairn::events {
namespace {

using sys::Text;

Wrap* wraps = nullptr;
Wrap** wraps_end = &wraps;
uint32_t wrap_count = 0;
uint32_t changing = 0;         // a lock, and the mark that a checkpoint looks for
bool watching = false;         // or it was tried
bool plugin_is_coming = false; // of which is not known yet which library is its
bool putting_off = false;      // more wraps are to come: places are bound once, for all
bool put_off = false;

class Lock {
 public:
  Lock() {
    while (__atomic_exchange_n(&changing, 1, __ATOMIC_ACQUIRE) != 0) sys::call_unchecked(SYS_sched_yield);
  }
  ~Lock() { __atomic_store_n(&changing, 0, __ATOMIC_RELEASE); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
};

void bind_or_warn() {
  put_off = putting_off;
  if (!putting_off && !bind_places(wraps)) host_warning("this system forbids to change what a library was bound to: plugins do not see all calls of it", "");
}

Function* known_function(const Function& found) {
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    Function& known = wrap->memory;
    if (known.module.dynamic == found.module.dynamic && known.module.base == found.module.base && Text(known.name) == Text(found.name)) return &known;
  }
  return nullptr;
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
  if (place_waiting(true) > 0) bind_or_warn();
}

void wraps_come() { putting_off = true; }

void wraps_have_come() {
  putting_off = false;
  if (!put_off) return;
  Lock lock;
  bind_or_warn();
}

uintptr_t below_wraps(uintptr_t address) {
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    const Function& function = wrap->memory;
    const bool top = function.module.dynamic != nullptr && function.top != nullptr;
    if (top && (entry_of(function) == address || function.top->wrapper == address)) return function.original;
  }
  return address;
}

int32_t add_wrap(uint32_t plugin, const cairn_wrap& wanted) {
  if (wanted.size < sizeof wanted || wanted.function == nullptr || wanted.function[0] == 0 || wanted.wrapper == nullptr || wanted.next == nullptr) return -EINVAL;
  auto* wrap = static_cast<Wrap*>(allocate(sizeof(Wrap)));
  const char* function = keep_text(wanted.function);
  const char* library = wanted.library != nullptr ? keep_text(wanted.library) : nullptr;
  if (wrap == nullptr || function == nullptr || (wanted.library != nullptr && library == nullptr)) return -ENOMEM;
  wrap->plugin = plugin;
  wrap->function = function;
  wrap->library = library;
  wrap->wrapper = reinterpret_cast<uintptr_t>(wanted.wrapper);
  wrap->next = reinterpret_cast<uintptr_t*>(wanted.next);
  wrap->calls = wanted.calls;
  Lock lock;
  wrap->number = wrap_count++;
  trace_wrapper(wrap->number, wrap->wrapper);
  watch_loader();
  *wraps_end = wrap;
  wraps_end = &wrap->following;
  if (!place(wrap, true)) return 0;
  bind_or_warn();
  return 1;
}

int32_t remove_wrap(uint32_t plugin, const cairn_wrap& wanted) {
  Lock lock;
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    bool same = wrap->plugin == plugin && !wrap->out && wrap->wrapper == reinterpret_cast<uintptr_t>(wanted.wrapper) &&
                wrap->next == reinterpret_cast<uintptr_t*>(wanted.next) && Text(wrap->function) == Text(wanted.function);
    if (!same) continue;
    wrap->out = true;
    if (wrap->at == nullptr) return 0;
    take_out(wrap);
    (void)publish(wrap->at);
    bind_or_warn();
    return 0;
  }
  return -ENOENT;
}

void remove_wraps(uint32_t plugin) {
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->plugin != plugin || wrap->out) continue;
    cairn_wrap same = {sizeof(cairn_wrap), 0, wrap->function, wrap->library, reinterpret_cast<cairn_function>(wrap->wrapper),
                       reinterpret_cast<cairn_function*>(wrap->next), nullptr};
    (void)remove_wrap(plugin, same);
  }
}

void order_wraps() {
  Lock lock;
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->at != nullptr && !wrap->out) take_out(wrap);
  }
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->at != nullptr && !wrap->out) put_in(wrap, wrap->at);
  }
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->memory.module.dynamic != nullptr) (void)publish(&wrap->memory);
  }
  bind_or_warn();
}

uint32_t trace_wraps(bool on) {
  Lock lock;
  uint32_t untraced = 0;
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (!wrap->out && traced_entry(wrap->number) == 0) ++untraced;
  }
  if (on == calls_are_traced || wraps == nullptr) return untraced;
  note_calls(on);
  calls_are_traced = on;
  for (Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    Function& function = wrap->memory;
    if (function.module.dynamic == nullptr || function.top == nullptr) continue;
    link_again(&function);
    (void)publish(&function);
  }
  bind_or_warn();
  return untraced;
}

bool take_wrapper_call(WrapperCall* call) {
  TracedCall noted;
  if (!take_call(&noted)) return false;
  for (const Wrap* wrap = wraps; wrap != nullptr; wrap = wrap->following) {
    if (wrap->number == noted.number) *call = {plugin(wrap->plugin).plugin->name, wrap->function, noted.thread, noted.began_ns, noted.took_ns};
  }
  return true;
}

bool wraps_are_changing() { return __atomic_load_n(&changing, __ATOMIC_ACQUIRE) != 0; }
void forget_changing_wraps() {
  __atomic_store_n(&changing, 0, __ATOMIC_RELEASE);
  forget_noted_calls();
}

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
      say(first->function, first->library != nullptr ? first->library : "", plugin(first->plugin).plugin->name, "waits for a library that defines it", nullptr);
    }
    const Function& function = first->memory;
    if (function.module.dynamic == nullptr || function.top == nullptr) continue;
    const char* library = function.below;
    for (const Wrap* wrap = function.top; wrap != nullptr; wrap = wrap->below) {
      say(function.name, library, plugin(wrap->plugin).plugin->name, sys::TextBuffer<32>().add("layer ").unsigned_number(layer_of(wrap->plugin)).text(), wrap->calls);
    }
    if (function.own) say(function.name, library, "cairn", "Cairn's own", nullptr);
  }
}

}  // namespace cairn::events
