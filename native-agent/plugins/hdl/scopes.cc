// The hierarchy, a scope at a time: so a design of a million signals is looked at as fast as a small one.
#include "common/text.h"
#include "hdl/walk.h"

namespace cairn::hdl {
namespace {

constexpr bool all = false;  // of for_each: none is enough

bool copy_name(const char* from, char* to) {
  uint64_t size = 0;
  for (; from != nullptr && from[size] != 0 && size + 1 < longest_name; ++size) to[size] = from[size];
  to[size] = 0;
  return size > 0;
}

uint64_t count_scopes(const Program& program, Handle scope) {
  uint64_t count = 0;
  for_each_scope(program, scope, all, [&count](Handle) { ++count; });
  return count;
}

uint64_t count_signals(const Program& program, Handle scope) {
  uint64_t count = 0;
  const char* ignored = "";
  for_each_signal(program, scope, all, [&](Handle object) {
    if (kind_of(program, object, &ignored) != Kind::none) ++count;
  });
  return count;
}

bool add_counts(const char* first, const char* second, uint64_t scopes, uint64_t signals, const char* last, uint32_t count) {
  plugin::Text<24> inner, own;
  inner.add(static_cast<int64_t>(scopes));
  own.add(static_cast<int64_t>(signals));
  if (second == nullptr) {
    const char* fields[] = {first, inner.text(), own.text()};
    return add_line(fields, count, 128);
  }
  const char* fields[] = {first, second, inner.text(), own.text(), last};
  return add_line(fields, count, 128);
}

/// Verilator's do not tell, and say so in a word of their own.
const char* definition_of(const Program& program, Handle scope) {
  const char* text = program.simulator == Simulator::icarus ? program.vpi.text(vpi_definition, scope) : nullptr;
  return text != nullptr ? text : "";
}

/// By which it is found again. Verilator's VPI leaves out the model's own name of a scope's, and of that alone.
bool name_of(const Program& program, Handle scope, char* name) {
  if (!copy_name(program.vpi.text(vpi_full_name, scope), name)) return false;
  if (program.simulator == Simulator::icarus) return true;
  Handle found = program.vpi.by_name(name, nullptr);
  if (found == nullptr) {
    plugin::Text<longest_name> whole;
    whole.add("TOP.").add(name);
    (void)copy_name(whole.text(), name);
  }
  let_go(program, found);
  return true;
}

bool add_scope(const Program& program, Handle scope) {
  static char name[longest_name], definition[longest_name];
  if (!name_of(program, scope, name)) return true;
  (void)copy_name(definition_of(program, scope), definition);
  return add_counts("scope", name, count_scopes(program, scope), count_signals(program, scope), definition, 5);
}

/// What of a list is asked for.
struct Page {
  uint64_t seen = 0;
  uint64_t listed = 0;
  bool full = false;

  /// True: this one. False and not full: it comes before.
  bool wants() {
    if (seen++ < request().offset) return false;
    if (listed == request().limit) full = true;
    return !full;
  }
  void took(bool has_fitted) {
    if (has_fitted) ++listed;
    else full = true;
  }
};

void list_words(const Program& program, Handle memory, const char* name) {
  int32_t left = 0, right = 0;
  if (!read_range(program, memory, &left, &right)) return;
  const int64_t step = left <= right ? 1 : -1;
  const uint64_t words = static_cast<uint64_t>((int64_t{right} - left) * step + 1);
  (void)add_counts("total", nullptr, 0, words, nullptr, 3);
  Page page;
  page.seen = request().offset;
  for (uint64_t at = request().offset; at < words && page.wants(); ++at) {
    plugin::Text<longest_name> word;
    const int64_t index = left + step * static_cast<int64_t>(at);
    word.add(name).add("[").add(index).add("]");
    Handle object = program.vpi.by_index(memory, static_cast<int32_t>(index));
    page.took(object == nullptr || add_signal(program, object, word.text(), Kind::vector, "reg"));
    let_go(program, object);
  }
  if (page.full) add_more(request().offset + page.listed);
}

void list_inner(const Program& program, Handle scope) {
  (void)add_counts("total", nullptr, count_scopes(program, scope), scope == nullptr ? 0 : count_signals(program, scope), nullptr, 3);
  Page page;
  for_each_scope(program, scope, page.full, [&](Handle inner) {
    if (page.wants()) page.took(add_scope(program, inner));
  });
  if (scope != nullptr && !page.full) {
    for_each_signal(program, scope, page.full, [&](Handle object) {
      static char name[longest_name];
      const char* kind_name = "";
      const Kind kind = kind_of(program, object, &kind_name);
      if (kind == Kind::none || !page.wants()) return;
      if (copy_name(program.vpi.text(vpi_full_name, object), name)) page.took(add_signal(program, object, name, kind, kind_name));
    });
  }
  if (page.full) add_more(request().offset + page.listed);
}

void walk_instances(const Program& program, Handle scope, Page* page) {
  for_each_scope(program, scope, page->full, [&](Handle inner) {
    const bool meant = request().pattern[0] == 0 || plugin::same(definition_of(program, inner), request().pattern);
    if (meant && page->wants()) page->took(add_scope(program, inner));
    if (!page->full) walk_instances(program, inner, page);
  });
}

}  // namespace

void list_scope(const Program& program) {
  const char* name = request().pattern;
  if (name[0] == 0) return list_inner(program, nullptr);
  const char* ignored = "";
  Handle scope = find_named(program, name);
  const char* fields[] = {"missing", name};
  if (scope == nullptr) (void)add_line(fields, 2);
  else if (kind_of(program, scope, &ignored) == Kind::memory) list_words(program, scope, name);
  else list_inner(program, scope);
  let_go(program, scope);
}

void list_instances(const Program& program) {
  Page page;
  walk_instances(program, nullptr, &page);
  if (page.full) add_more(request().offset + page.listed);
}

void answer_reads(const Program& program) {
  begin_answer();
  add_time(program);
  switch (request().what) {
    case What::scope: return list_scope(program);
    case What::instances: return list_instances(program);
    case What::read: return read_signals(program);
    default: return list_signals(program);
  }
}

}  // namespace cairn::hdl
