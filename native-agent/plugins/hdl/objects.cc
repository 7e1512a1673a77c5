#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "hdl/names.h"
#include "hdl/signals.h"

namespace cairn::hdl {
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
  const void* context = program.thread_context != nullptr ? program.thread_context() : program.last_context != nullptr ? *program.last_context : nullptr;
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
  if (kind < first_vector || kind > last_vector) return Kind::none;
  return type == vpi_memory ? Kind::memory : Kind::vector;
}

}  // namespace

Kind kind_of(const Program& program, Handle object, const char** name) {
  if (program.simulator == Simulator::verilator) return kind_of_verilated(program, object, name);
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

Handle find_before_index(const Program& program, const char* name, int32_t* index) {
  static char object[longest_name];
  uint32_t length = 0;
  if (!split_index(name, &length, index) || length >= sizeof object) return nullptr;
  for (uint32_t i = 0; i < length; ++i) object[i] = name[i];
  object[length] = 0;
  return program.vpi.by_name(object, nullptr);
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
