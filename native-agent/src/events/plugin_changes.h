// What becomes of plugins that are there already: other settings, at a restart or while they are in use; taken out, or in another order, at a
// restart. And of those that come while the computation is held. Contexts as each says. Test: test/probes/plugin-changes.test.ts.
#pragma once
#include "sys/error.h"
#include "sys/text.h"

namespace cairn::events {

/// In use, and of this library.
bool is_plugin(uint32_t number, sys::Text library);

/// [restoring] Gives a plugin that the image has other settings. False: it does not take them.
bool change_settings(uint32_t number, sys::Text text, sys::Error* error);
/// [running, quiesced] The same in a run that goes on. True also where this process does not have the plugin.
bool change_live_settings(sys::Text library, sys::Text text, sys::Error* error);

/// [quiesced] A further plugin, in the highest layer, while the computation is held. False: it is not there, and why.
bool give_plugin(sys::Text library, sys::Text settings, sys::Error* error);
/// [quiesced] Takes it out again.
void take_plugin_back(sys::Text library);

/// [restoring] Those that the options "plugins.without" name by their libraries: called no more, their wrappers undone.
void take_out_plugins();
/// [restoring] Those from outside in the order of this restart's settings; any that are not among those stay below.
void order_as_given();

}  // namespace cairn::events
