// Ways through a design's hierarchy. Context: as signals.h.
#pragma once
#include "hdl/signals.h"

namespace cairn::hdl {

/// Calls visit(object) for all objects of a kind in a scope (nullptr: in the design), until `enough`.
template <class Visit>
void for_each(const Program& program, int32_t type, Handle scope, const bool& enough, Visit visit) {
  Handle iterator = program.vpi.iterate(type, scope);
  if (iterator == nullptr) return;
  while (Handle object = program.vpi.scan(iterator)) {
    visit(object);
    let_go(program, object);
    if (!enough) continue;
    program.vpi.free(iterator);
    return;
  }
}

/// All that may be signals in a scope.
template <class Visit>
void for_each_signal(const Program& program, Handle scope, const bool& enough, Visit visit) {
  const int32_t kinds[] = {vpi_reg, vpi_net, vpi_variables, vpi_memory, vpi_net_array, vpi_reg_array};
  const uint32_t count = program.simulator == Simulator::icarus ? sizeof kinds / sizeof kinds[0] : 1;
  for (uint32_t i = 0; i < count && !enough; ++i) for_each(program, kinds[i], scope, enough, visit);
}

/// The scopes directly in one; nullptr: those at the top.
template <class Visit>
void for_each_scope(const Program& program, Handle scope, const bool& enough, Visit visit) {
  const bool inner = scope != nullptr && program.simulator == Simulator::icarus;
  for_each(program, inner ? vpi_internal_scope : vpi_module, scope, enough, visit);
}

}  // namespace cairn::hdl
