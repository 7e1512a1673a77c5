// Ways through a design's hierarchy. Context: as signals.h.
#pragma once
#include "hdl/signals.h"
#include "hdl/unlisted.h"

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
  if (program.simulator == Simulator::icarus) {
    for_each(program, scope != nullptr ? vpi_internal_scope : vpi_module, scope, enough, visit);
    return;
  }
  // Of a block Verilator would give those at the top.
  if (scope != nullptr && program.vpi.get(vpi_type, scope) != vpi_module) return;
  for_each(program, vpi_module, scope, enough, visit);
  Unlisted unlisted = unlisted_in(program, scope);
  while (!enough) {
    Handle block = next_unlisted(program, &unlisted);
    if (block == nullptr) return;
    visit(block);
    let_go(program, block);
  }
}

}  // namespace cairn::hdl
