// Signals whose changes hold the computation: in Icarus by callbacks of its own, in a model of Verilator's by a look after each evaluation,
// which costs up to a microsecond as long as there is one. The hold comes at the end of the time step or evaluation, in the simulation's thread, which
// waits in it: so values have settled, and whoever looks at the held computation finds it between two time steps.
// Watches are of a run: a restarted or forked process has none. Test: test/simulators/held-signals.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "hdl/program.h"

namespace cairn::hdl {

/// [Cairn's own thread] Those of the request come in the place of the others when the simulation comes by. False: it is just taking up those
/// of before.
bool want_watches(const cairn_host* host);
/// [Cairn's own thread] The simulation does not come for them: they are not to be taken up at the next opportunity.
void give_up_watches();
/// What would become of them, as the answer. For a copy of the process.
void answer_watches(const Program& program);

/// [the simulation's thread, at its safe point] Takes up what is wanted, if anything new is. `answers`: and writes the answer.
void take_watches(const Program& program, bool answers);
/// There are some.
bool watching();
/// Verilator: has one changed? Then the computation is held, and this returns when it goes on.
void look_at_watches(const Program& program);

/// A change that nobody has been held for yet; the texts stay until the next.
bool take_change(const char** what, const char** why);

/// In a restarted or forked process.
void forget_watches();
/// They cannot be kept up any more.
void drop_watches(const char* why);

}  // namespace cairn::hdl
