#include "hdl/watch.h"

#include <stdlib.h>

#include "common/text.h"
#include "hdl/names.h"
#include "hdl/serving.h"
#include "hdl/signals.h"

namespace cairn::hdl {
namespace {

constexpr uint32_t most_watches = 32;
constexpr uint32_t most_watched_bits = 1024;
constexpr uint32_t longest_watched = 512;
constexpr uint32_t value_size = most_watched_bits + 1;

/// As it was asked for.
struct Wanted {
  char name[longest_watched];
  Operation operation;
  char value[value_size];
};
enum State : uint32_t { nothing, is_written, pending, is_taken };

struct Watch {
  char name[longest_watched];
  Operation operation;
  Handle object;
  Handle callback;  // Icarus
  uint32_t width;
  int64_t bit;
  bool is_real;
  char than[value_size];
  char last[value_size];
};

const cairn_host* host_ = nullptr;
const Program* program_ = nullptr;
Wanted wanted[most_watches];
uint32_t wanted_count = 0;
uint32_t state = nothing;

// Of the simulation's thread.
Watch watches[most_watches];
uint32_t count = 0;
uint32_t generation = 1;  // callbacks of an earlier one are not served
bool hit = false;
char hit_name[longest_watched], hit_why[512];

bool copy(const char* from, char* to, uint64_t capacity) {
  uint64_t size = 0;
  for (; from[size] != 0 && size + 1 < capacity; ++size) to[size] = from[size];
  to[size] = 0;
  return from[size] == 0;
}

bool move(State from, State to) {
  uint32_t before = from;
  return __atomic_compare_exchange_n(&state, &before, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// Of the watch's own bits; "" where there is none.
void read(const Program& program, const Watch& watch, char* value) {
  const Kind kind = watch.is_real ? Kind::real : Kind::vector;
  if (watch.bit < 0) {
    if (!read_value(program, watch.object, kind, watch.width, value, value_size)) value[0] = 0;
    return;
  }
  static char whole[most_bits + 1];
  const bool readable = read_value(program, watch.object, kind, watch.width, whole, sizeof whole);
  value[0] = readable ? whole[watch.width - 1 - watch.bit] : 0;
  value[1] = 0;
}

const char* prepare_vector(const Wanted& from, Watch* to) {
  if (to->bit < 0 && to->width > most_watched_bits) return "it has more than 1,024 bits: watch a bit of it, as NAME[INDEX]";
  if (to->operation == Operation::any) return nullptr;
  if (from.value[0] == 'r') return "it is no real: compare it with a whole number";
  if (!fit_value(from.value, to->bit >= 0 ? 1 : to->width, to->than)) return "the value does not fit: the signal has fewer bits";
  return nullptr;
}

/// Why it cannot be watched; nullptr: it can.
const char* prepare(const Program& program, const Wanted& from, Watch* to) {
  *to = {};
  Write object = {};
  object.name = from.name;
  find_object(program, &object);
  if (object.why == nullptr) {
    (void)copy(from.name, to->name, sizeof to->name);
    to->operation = from.operation;
    to->object = object.object;
    to->width = object.width;
    to->bit = object.bit;
    to->is_real = object.is_real;
    if (!to->is_real) object.why = prepare_vector(from, to);
    else if (to->operation != Operation::any && from.value[0] != 'r') object.why = "it is a real: compare it with a number with a point, as 1.0";
    else (void)copy(from.value, to->than, sizeof to->than);
  }
  if (object.why == nullptr) {
    read(program, *to, to->last);
    if (to->last[0] == 0) object.why = "the simulator does not give its value";
  }
  if (object.why != nullptr) {
    let_go(program, object.object);
    to->object = nullptr;
  }
  return object.why;
}

bool meets(const Watch& watch, const char* value) {
  if (watch.operation == Operation::any) return true;
  if (watch.is_real) return holds(watch.operation, strtod(value + 1, nullptr), strtod(watch.than + 1, nullptr));
  return holds(watch.operation, value, watch.than);
}

void show(const Watch& watch, const char* value, char* text, uint32_t capacity) {
  if (watch.is_real) (void)copy(value + 1, text, capacity);
  else format_value(value, text, capacity);
}

/// True: it has changed so that the computation is to be held.
bool look(const Program& program, Watch* watch) {
  static char now[value_size];
  read(program, *watch, now);
  if (plugin::same(now, watch->last)) return false;
  const bool met = now[0] != 0 && meets(*watch, now);
  if (met && !hit) {
    char before[200], after[200];
    show(*watch, watch->last, before, sizeof before);
    show(*watch, now, after, sizeof after);
    plugin::Text<512> why;
    why.add(before).add(" \u2192 ").add(after);
    (void)copy(watch->name, hit_name, sizeof hit_name);
    (void)copy(why.text(), hit_why, sizeof hit_why);
    hit = true;
  }
  (void)copy(now, watch->last, sizeof watch->last);
  return met;
}

void hold() {
  if (!hit || holds_soon()) return;
  hit = false;
  if (host_->request_hold(hit_name, hit_why) >= 0) return;
  plugin::Text<1200> text;
  text.add("the computation could not be held when ").add(hit_name).add(" changed (").add(hit_why).add(")");
  host_->log(CAIRN_LOG_WARNING, text.text());
}

int32_t settled(VpiCallback*) {
  hold();
  return 0;
}

/// [Icarus] A watched signal has another value.
int32_t changed(VpiCallback* callback) {
  const auto mark = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(callback->user_data));
  const uint32_t index = mark % most_watches;
  if (mark / most_watches != generation || index >= count) return 0;
  // Also where another has changed in this time step: its next change is told from this value.
  const bool pending = hit;
  if (!look(*program_, &watches[index]) || pending) return 0;
  VpiTime now = {vpi_simulated_time, 0, 0, 0};
  VpiCallback end = {callback_read_only, settled, nullptr, &now, nullptr, 0, nullptr};
  (void)program_->vpi.register_callback(&end);
  return 0;
}

Handle call_back(const Program& program, const Watch& watch, uint32_t index) {
  VpiTime time = {vpi_suppressed_time, 0, 0, 0};
  VpiValue value = {};
  value.format = vpi_suppressed_value;
  VpiCallback callback = {callback_value_change, changed, watch.object, &time, &value, 0, reinterpret_cast<char*>(uintptr_t{generation * most_watches + index})};
  return program.vpi.register_callback(&callback);
}

void end_watches(const Program& program) {
  for (uint32_t i = 0; i < count; ++i) {
    if (watches[i].callback != nullptr) (void)program.vpi.remove_callback(watches[i].callback);
    let_go(program, watches[i].object);
  }
  count = 0;
  generation = (generation + 1) & 0xffffff;
}

void add_answer(const Wanted& of, const char* why) {
  const char* fields[] = {"watched", of.name, why != nullptr ? why : ""};
  (void)add_line(fields, 3);
}

}  // namespace

bool want_watches(const cairn_host* host) {
  host_ = host;
  if (!move(nothing, is_written) && !move(pending, is_written)) return false;
  const Request& all = request();
  wanted_count = 0;
  for (uint32_t i = 0; i < all.count && wanted_count < most_watches; ++i) {
    Wanted* to = &wanted[wanted_count];
    const bool whole = copy(all.write[i].name, to->name, sizeof to->name) && copy(all.write[i].value, to->value, sizeof to->value);
    if (whole && read_operation(all.operation[i], &to->operation)) ++wanted_count;
  }
  __atomic_store_n(&state, pending, __ATOMIC_RELEASE);
  return true;
}

void give_up_watches() { (void)move(pending, nothing); }

void answer_watches(const Program& program) {
  begin_answer();
  add_time(program);
  for (uint32_t i = 0; i < wanted_count; ++i) {
    static Watch watch;
    add_answer(wanted[i], prepare(program, wanted[i], &watch));
  }
}

void take_watches(const Program& program, bool answers) {
  if (answers) {
    begin_answer();
    add_time(program);
  }
  // Asked after each evaluation of a model: a look costs less than an exchange.
  if (__atomic_load_n(&state, __ATOMIC_RELAXED) != pending || !move(pending, is_taken)) return;
  program_ = &program;
  end_watches(program);
  for (uint32_t i = 0; i < wanted_count; ++i) {
    Watch* watch = &watches[count];
    const char* why = prepare(program, wanted[i], watch);
    if (why == nullptr && program.simulator == Simulator::icarus) {
      watch->callback = call_back(program, *watch, count);
      if (watch->callback == nullptr) why = "the simulator does not tell when it changes";
    }
    if (why == nullptr) ++count;
    if (answers) add_answer(wanted[i], why);
  }
  __atomic_store_n(&state, nothing, __ATOMIC_RELEASE);
}

bool take_change(const char** what, const char** why) {
  if (!hit) return false;
  hit = false;
  *what = hit_name;
  *why = hit_why;
  return true;
}

bool watching() { return count > 0; }

void look_at_watches(const Program& program) {
  for (uint32_t i = 0; i < count; ++i) (void)look(program, &watches[i]);
  hold();
}

void forget_watches() {
  count = 0;
  generation = (generation + 1) & 0xffffff;
  hit = false;
  __atomic_store_n(&state, nothing, __ATOMIC_RELEASE);
}

void drop_watches(const char* why) {
  count = 0;
  host_->log(CAIRN_LOG_WARNING, why);
}

}  // namespace cairn::hdl
