#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "hdl/names.h"
#include "hdl/signals.h"
#include "hdl/walk.h"

namespace cairn::hdl {

const void* context_of(const Program& program) {
  return program.thread_context != nullptr ? program.thread_context() : program.last_context != nullptr ? *program.last_context : nullptr;
}

namespace {

/// What Verilator's VPI says is a reg may be a real or a string, and to ask it for bits ends the program. Its own description of the variable
/// tells; it begins with a number that nothing else begins with, and the kind (verilated.h: VerilatedVarProps, VerilatedVarType).
uint32_t kind_in_model(const Program& program, Handle object) {
  constexpr uint32_t magic = 0xddc4f829;
  struct Properties {
    uint32_t magic;
    uint8_t kind;
  };
  if (program.find_scope == nullptr || program.find_variable == nullptr) return 0;
  const void* context = context_of(program);
  if (context == nullptr) return 0;
  const char* full = program.vpi.text(vpi_full_name, object);
  static char name[longest_name];
  uint32_t size = 0, dot = 0;
  for (; full != nullptr && full[size] != 0 && size + 1 < sizeof name; ++size) {
    name[size] = full[size];
    if (full[size] == '.') dot = size;
  }
  name[size] = 0;
  if (dot == 0) return 0;
  name[dot] = 0;
  const void* scope = program.find_scope(context, name);
  const auto* properties = scope != nullptr ? static_cast<const Properties*>(program.find_variable(scope, name + dot + 1)) : nullptr;
  return properties != nullptr && properties->magic == magic ? properties->kind : 0;
}

enum : uint32_t { first_vector = 2, uint64 = 5, last_vector = 6, real_variable = 8 };

/// An unpacked array of single bits has a byte for each, and is described as a vector that a byte has no place for.
bool has_place(const Program& program, Handle object, uint32_t kind) {
  return kind == last_vector || program.vpi.get(vpi_size, object) <= 8 << (kind - first_vector);
}

/// Older versions describe a real as 64 bits, of which VPI sees one, and gives all.
bool is_hidden_real(const Program& program, Handle object, uint32_t kind) {
  constexpr int32_t least_bits = 33;  // of what has 64
  return kind == uint64 && program.vpi.get(vpi_size, object) < least_bits;
}

Kind kind_of_verilated(const Program& program, Handle object, const char** name) {
  const int32_t type = program.vpi.get(vpi_type, object);
  if (type != vpi_reg && type != vpi_memory && type != vpi_memory_word) return Kind::none;
  *name = type == vpi_memory ? "memory" : "reg";
  const uint32_t kind = type == vpi_memory_word ? uint32_t{first_vector} : kind_in_model(program, object);
  if (type == vpi_reg && (kind == real_variable || is_hidden_real(program, object, kind))) {
    *name = "real";
    return Kind::real;
  }
  if (kind < first_vector || kind > last_vector || (type == vpi_reg && !has_place(program, object, kind))) return Kind::none;
  return type == vpi_memory ? Kind::memory : Kind::vector;
}

Kind kind_of_icarus(const Program& program, Handle object, const char** name) {
  switch (program.vpi.get(vpi_type, object)) {
    case vpi_net: *name = "net"; return Kind::vector;
    case vpi_reg: *name = "reg"; return Kind::vector;
    case vpi_memory_word: *name = "reg"; return Kind::vector;
    case vpi_integer: *name = "integer"; return Kind::vector;
    case vpi_time_variable: *name = "time"; return Kind::vector;
    case vpi_long_int:
    case vpi_short_int:
    case vpi_int:
    case vpi_byte:
    case vpi_bit: *name = "variable"; return Kind::vector;
    case vpi_real: *name = "real"; return Kind::real;
    case vpi_memory:
    case vpi_reg_array:
    case vpi_net_array: *name = "memory"; return Kind::memory;
    default: return Kind::none;
  }
}
}  // namespace

bool is_automatic(const Program& program, Handle object) {
  return program.simulator == Simulator::icarus && program.vpi.get(vpi_automatic, object) == 1;
}

Kind kind_of(const Program& program, Handle object, const char** name) {
  if (program.simulator == Simulator::verilator) return kind_of_verilated(program, object, name);
  const Kind kind = kind_of_icarus(program, object, name);
  return kind != Kind::none && is_automatic(program, object) ? Kind::none : kind;
}

bool can_write_real(const Program& program, Handle object) {
  return program.simulator != Simulator::verilator || kind_in_model(program, object) == real_variable;
}

bool read_value(const Program& program, Handle object, Kind kind, uint32_t width, char* text, uint64_t capacity) {
  text[0] = 0;
  VpiValue value = {};
  if (kind == Kind::real && !can_write_real(program, object)) {
    value.format = vpi_vector;
    program.vpi.get_value(object, &value);
    const uint64_t bits = uint64_t{value.vector[1].a} << 32 | value.vector[0].a;
    double number = 0;
    memcpy(&number, &bits, sizeof number);
    snprintf(text, capacity, "r%.17g", number);
    return true;
  }
  if (kind == Kind::real) {
    value.format = vpi_real_value;
    program.vpi.get_value(object, &value);
    snprintf(text, capacity, "r%.17g", value.real);
    return true;
  }
  // What Verilator has place for in an answer.
  const uint32_t most = program.simulator == Simulator::verilator ? 2048 : most_bits;
  if (kind != Kind::vector || width == 0 || width > most || width >= capacity) return false;
  value.format = vpi_vector;
  program.vpi.get_value(object, &value);
  if (value.format != vpi_vector || value.vector == nullptr) return false;
  for (uint32_t bit = 0; bit < width; ++bit) {
    const VpiVector& word = value.vector[bit / 32];
    const uint32_t a = word.a >> (bit % 32) & 1, b = word.b >> (bit % 32) & 1;
    text[width - 1 - bit] = b == 0 ? (a == 0 ? '0' : '1') : (a == 0 ? 'z' : 'x');
  }
  text[width] = 0;
  return true;
}

namespace {

struct Search {
  const Program& program;
  const char* name;
  Handle found = nullptr;
  bool enough = false;
};

void compare(Search* search, Handle object) {
  const char* name = search->program.vpi.text(vpi_full_name, object);
  search->enough = name != nullptr && plugin::same(name, search->name);
  if (search->enough) search->found = object;
}

/// Only where the name goes on.
void search_in(Search* search, Handle scope) {
  for_each_scope(search->program, scope, search->enough, [search](Handle inner) {
    const char *name = search->program.vpi.text(vpi_full_name, inner), *rest = nullptr;
    if (name == nullptr || !plugin::begins(search->name, name, &rest) || (*rest != '.' && *rest != 0)) return;
    if (*rest == 0) compare(search, inner);
    else for_each_signal(search->program, inner, search->enough, [search](Handle object) { compare(search, object); });
    if (!search->enough) search_in(search, inner);
  });
}

}  // namespace

Handle find_named(const Program& program, const char* name) {
  Handle found = program.vpi.by_name(name, nullptr);
  if (found != nullptr || program.simulator != Simulator::icarus) return found;
  Search search = {program, name};
  search_in(&search, nullptr);
  return search.found;
}

Handle find_before_index(const Program& program, const char* name, int32_t* index) {
  static char object[longest_name];
  uint32_t length = 0;
  if (!split_index(name, &length, index) || length >= sizeof object) return nullptr;
  for (uint32_t i = 0; i < length; ++i) object[i] = name[i];
  object[length] = 0;
  return find_named(program, object);
}

void let_go(const Program& program, Handle object) {
  // Icarus's live as long as the design.
  if (object != nullptr && program.simulator == Simulator::verilator) program.vpi.free(object);
}

namespace {
bool read_limit(const Program& program, int32_t which, Handle object, int32_t* limit) {
  Handle constant = program.vpi.related(which, object);
  if (constant == nullptr) return false;
  VpiValue value = {};
  value.format = vpi_integer_value;
  program.vpi.get_value(constant, &value);
  *limit = value.integer;
  let_go(program, constant);
  return true;
}
}  // namespace

bool read_range(const Program& program, Handle object, int32_t* left, int32_t* right) {
  return read_limit(program, vpi_left_range, object, left) && read_limit(program, vpi_right_range, object, right);
}

uint64_t time_of(const Program& program) {
  VpiTime time = {vpi_simulated_time, 0, 0, 0};
  program.vpi.get_time(nullptr, &time);
  return uint64_t{time.high} << 32 | time.low;
}

void add_time(const Program& program) {
  plugin::Text<32> ticks, unit;
  ticks.add(static_cast<int64_t>(time_of(program)));
  unit.add(program.vpi.get(vpi_precision, nullptr));
  const char* fields[] = {"time", ticks.text(), unit.text()};
  (void)add_line(fields, 3);
  const char* names[] = {"simulator", program.simulator == Simulator::icarus ? "icarus" : "verilator"};
  (void)add_line(names, 2);
}

}  // namespace cairn::hdl
