// Interposition by plugins from outside (host->wrap): which functions are wrapped, by which layers, and where the program meets them.
//
// A function is a definition in one library (or in the program). Whoever looks for it by its name gets the highest layer's wrapper, because
// the library's table of symbols says so (a library that is loaded later, dlsym, a function that is bound when it is first called); and the
// places in all modules that were bound before are bound anew. Places in a plugin's own library lead to the layer below that plugin,
// those in libcairn.so to what they always led to. Where Cairn's own wrapper of a function stands, it is that which is wrapped: what
// plugins from outside see are virtual names.
// A wrap whose function nobody defines waits; the loader's own notice of a change of its list (what debuggers rely on) is led here.
//
// All of this is in the image. Context: as each says. A checkpoint stops no thread within `libraries_changed` (agent/operation.cc).
// Test: test/probes/interposition.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "events/modules.h"

namespace cairn::events {

/// [init, quiesced, restoring] As host->wrap and host->unwrap, for a plugin by its number.
int32_t add_wrap(uint32_t plugin, const cairn_wrap& wrap);
int32_t remove_wrap(uint32_t plugin, const cairn_wrap& wrap);
/// All of a plugin that is refused or taken out.
void remove_wraps(uint32_t plugin);
/// [restoring] Plugins stand in other layers than before.
void order_wraps();

/// Around what may be many of these: places that are bound are bound anew once, at the end.
void wraps_come();
void wraps_have_come();

/// What Cairn's own calls go to, for an address that a look-up by name gave.
uintptr_t below_wraps(uintptr_t address);

/// Around dlopen of a plugin's library: what that defines is nobody's to find.
void plugin_comes();
void plugin_has_come();

/// A thread of the application is changing what is noted here, or was when the process was copied: then, in the copy, forget it.
bool wraps_are_changing();
void forget_changing_wraps();

/// [Cairn's thread] Whether each call of a wrapper is noted from now on; gives how many wraps cannot be traced.
uint32_t trace_wraps(bool on);
/// [Cairn's thread] The oldest call that was noted, and what of; `began_ns` of CLOCK_MONOTONIC. False: there is none.
struct WrapperCall {
  const char* plugin;
  const char* function;
  int32_t thread;  // real
  uint64_t began_ns;
  uint64_t took_ns;
};
bool take_wrapper_call(WrapperCall* call);

/// The layers of each wrapped function, from the application to the library.
void wrap_rows(void (*emit)(void* context, const cairn_row* row, const char* owner), void* context);

}  // namespace cairn::events
