// System V objects of a run that is over: they outlive all processes. The shared names of the run's session (events/names.h) say which its
// computation has made; there nobody else writes any more.
// Context: restorer. Test: test/faults/resident.test.ts.
#pragma once

namespace cairn::restore {

/// `socket`: of the run's coordinator, in whose folder the file of names is.
void remove_objects(const char* socket);

}  // namespace cairn::restore
