// Which names the run folders hold, so that nothing has to be looked for in them that nobody has put there. Names without their folder, by a hash,
// as shared names: whoever is about to put something into the run folder tells it before, and what is told stays. So a look-up needs
// no lock: what it does not find told was not there when it began. Until everything is told that a restart has brought back (learn_own), and
// on several hosts, whose shared names are not the same, all is looked for. What an outside hand puts into the run folder while the
// run goes on is found where the layers below have nothing of that name. Any context; no libc. Test: test/probes/versions.test.ts.
#pragma once
#include "path_text.h"

namespace cairn::path {

/// Key of a path's last component, to ask with later.
int64_t own_key(const PathText &path);
/// Before something is put into the run folder at this virtual path, or somewhere else in its place.
void tell_own(const PathText &path);
/// Whether a layer may have something of its own with this key; false: no.
bool may_be_own(int64_t key);
/// After something was hidden (locate.h).
void tell_hidden();
/// Another number after each tell_hidden() of any process.
int64_t last_hidden();
/// [restoring] In the first process, before learn_own(): what cannot be told from now on is known to be missing. false: there is no room for that.
bool begin_to_learn();
/// [running, aside] Tells all that the layers hold, in the first process after a restart; from then on may_be_own() can say no.
void learn_own();

}  // namespace cairn::path
