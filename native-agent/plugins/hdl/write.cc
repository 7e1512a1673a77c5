#include <stdlib.h>

#include "common/text.h"
#include "hdl/names.h"
#include "hdl/signals.h"

namespace cairn::hdl {
namespace {

Kind kind_of_write(const Write& write) { return write.is_real ? Kind::real : Kind::vector; }

/// What is to be there afterwards, in write->wanted.
void make_value(const Program& program, Write* write) {
  const uint64_t size = (write->is_real ? 40 : write->width) + 1;
  write->before = room_for(size);
  write->wanted = room_for(size);
  write->after = room_for(size);
  if (write->before == nullptr || write->wanted == nullptr || write->after == nullptr) {
    write->before = write->wanted = write->after = nullptr;
    write->why = "too much is written at once";
    return;
  }
  write->after[0] = write->wanted[0] = 0;
  if (!read_value(program, write->object, kind_of_write(*write), write->width, write->before, size)) write->why = "the simulator does not give its value";
  else if (write->action == Action::release) return;
  else if (write->is_real && !can_write_real(program, write->object)) write->why = "this version of Verilator's VPI does not write reals";
  else if (write->is_real != (write->value[0] == 'r')) write->why = write->is_real ? "it is a real: give a number with a point, as 1.0" : "it is no real: give a whole number";
  else if (write->is_real) {
    plugin::Text<40> text;
    text.add(write->value);
    for (uint64_t i = 0; i <= text.size(); ++i) write->wanted[i] = text.text()[i];
  } else if (write->bit >= 0) {
    char digit[2] = {};
    for (uint32_t i = 0; i <= write->width; ++i) write->wanted[i] = write->before[i];
    if (!fit_value(write->value, 1, digit)) write->why = "the value has more than one bit";
    else write->wanted[write->width - 1 - write->bit] = digit[0];
  } else if (!fit_value(write->value, write->width, write->wanted)) {
    write->why = "the value does not fit: the signal has fewer bits";
  }
  if (write->why != nullptr || write->is_real || program.simulator != Simulator::verilator) return;
  for (const char* at = write->wanted; *at != 0; ++at) {
    if (*at == 'x' || *at == 'z') write->why = "models of Verilator's have no x and no z";
  }
}

void put(const Program& program, Write* write) {
  VpiValue value = {};
  value.format = write->is_real ? vpi_real_value : vpi_binary;
  if (write->is_real) value.real = strtod(write->wanted + 1, nullptr);
  else value.text = write->action == Action::release ? write->before : write->wanted;
  if (write->is_real && write->action == Action::release) value.real = strtod(write->before + 1, nullptr);
  const int32_t flags = write->action == Action::set ? vpi_no_delay : write->action == Action::force ? vpi_force : vpi_release;
  program.vpi.put_value(write->object, &value, nullptr, flags);
}

bool equal(const Write& write) {
  if (write.is_real) return strtod(write.after + 1, nullptr) == strtod(write.wanted + 1, nullptr);
  // Others of its bits may be written in the same time step.
  if (write.bit >= 0 && write.after[0] != 0) return write.after[write.width - 1 - write.bit] == write.wanted[write.width - 1 - write.bit];
  return plugin::same(write.after, write.wanted);
}

uint64_t size_of(const Write& write) { return (write.is_real ? 40 : write.width) + 1; }

}  // namespace

void find_object(const Program& program, Write* write) {
  const char* ignored = "";
  int32_t index = 0, left = 0, right = 0;
  write->bit = -1;
  write->object = find_named(program, write->name);
  if (write->object == nullptr) {
    Handle outer = find_before_index(program, write->name, &index);
    const Kind kind = outer != nullptr ? kind_of(program, outer, &ignored) : Kind::none;
    if (kind == Kind::memory) {
      write->object = program.vpi.by_index(outer, index);
      let_go(program, outer);
      if (write->object == nullptr) write->why = "the memory has no such word";
    } else if (kind == Kind::vector) {
      write->object = outer;
      const auto size = program.vpi.get(vpi_size, outer);
      write->bit = !read_range(program, outer, &left, &right) ? index : left >= right ? int64_t{index} - right : int64_t{right} - index;
      if (write->bit < 0 || write->bit >= size) write->why = "the vector has no such bit";
      else if (write->action != Action::set) write->why = "a single bit can be set, but not forced or released: name the whole vector";
    }
    if (write->object == nullptr && write->why == nullptr) write->why = "the design has no signal of this name; `cairn signals PATTERN` shows those that it has";
    if (write->why != nullptr) return;
  }
  const Kind kind = kind_of(program, write->object, &ignored);
  if (kind == Kind::memory) write->why = "it is a memory: name a word of it, as NAME[INDEX]";
  else if (kind == Kind::none && is_automatic(program, write->object)) write->why = "it is a variable of an automatic task or function, which each call has of its own";
  else if (kind == Kind::none) write->why = "it is no signal that has a value which can be written";
  write->is_real = kind == Kind::real;
  write->width = static_cast<uint32_t>(program.vpi.get(vpi_size, write->object));
  if (kind == Kind::vector && write->width > most_bits) write->why = "it is wider than 8,192 bits";
}

void write_signals(const Program& program) {
  Request& all = request();
  for (uint32_t i = 0; i < all.count; ++i) {
    Write* write = &all.write[i];
    find_object(program, write);
    if (write->why == nullptr && program.simulator == Simulator::verilator && write->action != Action::set) {
      write->why = "Verilator's VPI does not force: set it, which lasts until the model assigns it; to hold it, build the design with a signal of its own for that";
    }
    if (write->why == nullptr && write->action == Action::force && program.vpi.get(vpi_type, write->object) == vpi_memory_word)
      write->why = "Icarus does not force a word of a memory: set it, which lasts until the design writes it";
    if (write->why == nullptr) make_value(program, write);
    if (write->why != nullptr) continue;
    put(program, write);
    if (write->action == Action::release) continue;
    (void)read_value(program, write->object, kind_of_write(*write), write->width, write->after, size_of(*write));
    if (!equal(*write)) {
      write->why = program.simulator == Simulator::verilator ? "the model lets nobody write it: verilate it with --public-flat-rw"
                                                             : "the simulator has not taken the value";
    }
  }
}

void answer_writes(const Program& program) {
  Request& all = request();
  begin_answer();
  add_time(program);
  for (uint32_t i = 0; i < all.count; ++i) {
    Write* write = &all.write[i];
    const bool possible = write->why == nullptr;
    if (possible) (void)read_value(program, write->object, kind_of_write(*write), write->width, write->after, size_of(*write));
    const bool stays = possible && (write->action == Action::release || equal(*write));
    const char* what = !possible ? "impossible" : stays ? "effective" : "overwritten";
    const char* why = !possible ? write->why : stays ? "" : "the design has assigned it another value in the same time step; force holds it";
    const char* fields[] = {"written", write->name, what, write->before != nullptr ? write->before : "", write->after != nullptr ? write->after : "", why};
    (void)add_line(fields, 6);
    let_go(program, write->object);
    write->object = nullptr;
  }
}

}  // namespace cairn::hdl
