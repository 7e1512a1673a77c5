#include "hdl/unlisted.h"

#include <string.h>

#include "common/text.h"

namespace cairn::hdl {
namespace {

/// VerilatedScopeNameMap, which is a std::map from names, as libstdc++ has it in memory: this plugin has the headers of neither.
struct Node {
  int32_t color;  // 0: red, as a table's own one always is
  Node* parent;
  Node* left;
  Node* right;
};
struct Entry : Node {
  const char* name;
};
struct Names {
  uint64_t order;
  Node top;  // its parent is the root of the tree
  uint64_t count;
};

bool is_whole(const Names* names) {
  return names != nullptr && names->top.color == 0 && names->top.parent != nullptr && names->top.parent->parent == &names->top && names->count != 0;
}

/// The first one that is not before `text`, or is behind it; nullptr: there is none.
const char* seek(const void* given, const char* text, bool behind) {
  const char* found = nullptr;
  for (const Node* at = static_cast<const Names*>(given)->top.parent; at != nullptr;) {
    const char* name = static_cast<const Entry*>(at)->name;
    const int order = strcmp(name, text);
    if (order < 0 || (behind && order == 0)) {
      at = at->right;
    } else {
      found = name;
      at = at->left;
    }
  }
  return found;
}

bool is_module(const Program& program, const char* name) {
  Handle scope = program.vpi.by_name(name, nullptr);
  const bool is = scope != nullptr && program.vpi.get(vpi_type, scope) == vpi_module;
  let_go(program, scope);
  return is;
}

/// Behind all that is in the module that a scope is in, other than the one that it is looked for in; nullptr: there is no such module.
const char* end_of_module(const Program& program, const Unlisted& unlisted, const char* name) {
  static char outer[longest_name];
  const uint64_t begin = unlisted.within != nullptr ? plugin::length_of(unlisted.within) + 1 : 0;
  for (uint64_t i = 0; name[i] != 0 && i + 2 < sizeof outer; ++i) {
    outer[i] = name[i];
    if (i < begin || name[i + 1] != '.') continue;
    outer[i + 1] = 0;
    if (!is_module(program, outer)) continue;
    outer[i + 1] = '.' + 1;
    outer[i + 2] = 0;
    return outer;
  }
  return nullptr;
}

bool is_within(const Unlisted& unlisted, const char* name) {
  const char* rest = nullptr;
  return unlisted.within == nullptr || (plugin::begins(name, unlisted.within, &rest) && *rest == '.');
}

bool has_signals(const Program& program, Handle scope) {
  Handle iterator = program.vpi.iterate(vpi_reg, scope);
  Handle first = iterator != nullptr ? program.vpi.scan(iterator) : nullptr;
  if (first == nullptr) return false;  // then the iterator is gone, too
  let_go(program, first);
  let_go(program, iterator);
  return true;
}

/// VPI leaves out the model's own name of a module's.
const char* name_in(const void* names, const char* name) {
  plugin::Text<longest_name> whole;
  whole.add("TOP.").add(name);
  const char* const both[] = {name, whole.text()};
  for (const char* one : both) {
    const char* found = seek(names, one, false);
    if (found != nullptr && plugin::same(found, one)) return found;
  }
  return nullptr;
}

}  // namespace

Unlisted unlisted_in(const Program& program, Handle module) {
  const void* context = context_of(program);
  const auto* names = context != nullptr && program.scope_names != nullptr ? static_cast<const Names*>(program.scope_names(context)) : nullptr;
  if (!is_whole(names)) return {};
  Unlisted unlisted = {names, nullptr, nullptr};
  if (module == nullptr) {
    unlisted.next = seek(names, "", false);
  } else {
    const char* name = program.vpi.text(vpi_full_name, module);
    unlisted.within = name != nullptr ? name_in(names, name) : nullptr;
    if (unlisted.within != nullptr) unlisted.next = seek(names, unlisted.within, true);
  }
  return unlisted;
}

Handle next_unlisted(const Program& program, Unlisted* unlisted) {
  while (const char* name = unlisted->next) {
    // Between a module and what is in it there may be others, whose names go on with a sign before the point.
    const char* rest = nullptr;
    if (unlisted->within != nullptr && !plugin::begins(name, unlisted->within, &rest)) return nullptr;
    const char* end = end_of_module(program, *unlisted, name);
    unlisted->next = end != nullptr ? seek(unlisted->names, end, false) : seek(unlisted->names, name, true);
    if (end != nullptr || !is_within(*unlisted, name)) continue;
    Handle scope = program.vpi.by_name(name, nullptr);
    if (scope != nullptr && program.vpi.get(vpi_type, scope) != vpi_module && has_signals(program, scope)) return scope;
    let_go(program, scope);
  }
  return nullptr;
}

}  // namespace cairn::hdl
