#include "common/text.h"
#include "hdl/names.h"
#include "hdl/walk.h"

namespace cairn::hdl {
namespace {

struct Listing {
  const Program& program;
  uint64_t seen = 0;    // signals that are meant
  uint64_t listed = 0;
  bool full = false;
};

/// True: others are wanted.
bool add_listed(void* context, Handle object, const char* name, Kind kind, const char* kind_name) {
  auto* to = static_cast<Listing*>(context);
  if (to->seen++ < request().offset) return true;
  to->full = to->listed == request().limit || !add_signal(to->program, object, name, kind, kind_name);
  if (!to->full) ++to->listed;
  return !to->full;
}

struct Walk {
  const Program& program;
  const char* pattern;
  bool (*each)(void* context, Handle object, const char* name, Kind kind, const char* kind_name);
  void* context;
  bool enough = false;
};

void visit(Walk* walk, Handle object) {
  static char name[longest_name];
  const char* kind_name = "";
  const Kind kind = kind_of(walk->program, object, &kind_name);
  const char* full = kind != Kind::none ? walk->program.vpi.text(vpi_full_name, object) : nullptr;
  if (full == nullptr || !matches(walk->pattern, full)) return;
  uint64_t size = 0;
  for (; full[size] != 0 && size + 1 < sizeof name; ++size) name[size] = full[size];
  name[size] = 0;
  walk->enough = !walk->each(walk->context, object, name, kind, kind_name);
}

void walk_scope(Walk* walk, Handle scope) {
  for_each_signal(walk->program, scope, walk->enough, [walk](Handle object) { visit(walk, object); });
  if (!walk->enough) for_each_scope(walk->program, scope, walk->enough, [walk](Handle inner) { walk_scope(walk, inner); });
}

/// NAME[INDEX] of a memory: its word. True: it is one.
bool list_word(const Program& program, const char* pattern) {
  int32_t index = 0;
  const char* kind_name = "";
  Handle memory = find_before_index(program, pattern, &index);
  Handle word = memory != nullptr && kind_of(program, memory, &kind_name) == Kind::memory ? program.vpi.by_index(memory, index) : nullptr;
  if (word != nullptr) (void)add_signal(program, word, pattern, Kind::vector, "reg");
  let_go(program, word);
  let_go(program, memory);
  return word != nullptr;
}

}  // namespace

/// False: it has no place any more.
bool add_signal(const Program& program, Handle object, const char* name, Kind kind, const char* kind_name) {
  static char value[most_bits + 1];
  int32_t left = 0, right = 0;
  const bool ranged = read_range(program, object, &left, &right);
  auto width = static_cast<uint32_t>(program.vpi.get(vpi_size, object));
  value[0] = 0;
  if (kind == Kind::memory) {
    Handle word = ranged ? program.vpi.by_index(object, left) : nullptr;
    width = word != nullptr ? static_cast<uint32_t>(program.vpi.get(vpi_size, word)) : 0;
    let_go(program, word);
  } else {
    (void)read_value(program, object, kind, width, value, sizeof value);
  }
  plugin::Text<16> bits, first, last;
  bits.add(int64_t{width});
  if (ranged) {
    first.add(int64_t{left});
    last.add(int64_t{right});
  }
  const char* fields[] = {"signal", name, kind_name, bits.text(), first.text(), last.text(), value};
  // Room stays for the line that says where it goes on.
  return add_line(fields, 7, 64);
}

void for_each_named(const Program& program, const char* pattern,
                    bool (*each)(void* context, Handle object, const char* name, Kind kind, const char* kind_name), void* context) {
  Walk walk = {program, pattern, each, context};
  for_each_scope(program, nullptr, walk.enough, [&walk](Handle scope) { walk_scope(&walk, scope); });
}

void list_signals(const Program& program) {
  if (list_word(program, request().pattern)) return;
  Listing listing = {program};
  for_each_named(program, request().pattern, add_listed, &listing);
  if (listing.full) add_more(request().offset + listing.listed);
}

void read_signals(const Program& program) {
  const Request& all = request();
  for (uint32_t i = 0; i < all.count; ++i) {
    const char* name = all.write[i].name;
    const char* kind_name = "";
    if (list_word(program, name)) continue;
    Handle object = find_named(program, name);
    const Kind kind = object != nullptr ? kind_of(program, object, &kind_name) : Kind::none;
    const char* fields[] = {"missing", name};
    if (kind == Kind::none || !add_signal(program, object, name, kind, kind_name)) (void)add_line(fields, 2);
    let_go(program, object);
  }
}

void add_more(uint64_t offset) {
  plugin::Text<32> next;
  next.add(static_cast<int64_t>(offset));
  const char* fields[] = {"more", next.text()};
  (void)add_line(fields, 2);
}

}  // namespace cairn::hdl
