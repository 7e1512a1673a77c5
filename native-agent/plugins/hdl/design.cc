#include "hdl/design.h"

#include <errno.h>

#include "common/text.h"
#include "hdl/names.h"
#include "hdl/request.h"
#include "hdl/signals.h"

namespace cairn::hdl {
namespace {

constexpr uint32_t most_watchers = 8;
constexpr uint32_t most_watched = 64;
constexpr uint64_t never = UINT64_MAX;

struct Watch {
  cairn_watcher* watcher;
  uint64_t at;
  uint64_t limit;
  bool begun;
  bool settles;
  bool ended;
};

struct Watched {
  cairn_watcher* watcher;  // nullptr: this place is free
  cairn_signal* signal;
  char last[most_bits + 1];
};

const cairn_host* host_ = nullptr;
const Program* program_ = nullptr;
const Expected* expected_ = nullptr;
Watch watches[most_watchers];
uint32_t watch_count = 0;
Watched watched[most_watched];
uint32_t watched_end = 0;  // behind the last place that is taken: they are looked at after each evaluation of a model
bool has_put = false;

void copy_bits(const char* from, uint32_t width, char* to) {
  for (uint32_t i = 0; i <= width; ++i) to[i] = from[i];
}

Handle object_of(const cairn_signal& signal) { return reinterpret_cast<Handle>(static_cast<uintptr_t>(signal.object)); }

uint64_t now() { return time_of(*program_); }

void describe(Handle object, Kind kind, const char* kind_name, cairn_signal* signal) {
  *signal = {};
  signal->size = sizeof *signal;
  signal->kind = kind == Kind::vector ? CAIRN_SIGNAL_VECTOR : kind == Kind::memory ? CAIRN_SIGNAL_MEMORY : CAIRN_SIGNAL_NONE;
  signal->driven = plugin::same(kind_name, "net") ? 1 : 0;
  signal->object = reinterpret_cast<uintptr_t>(object);
  signal->right = -1;
  const bool ranged = read_range(*program_, object, &signal->left, &signal->right);
  Handle measured = object;
  if (kind == Kind::memory) measured = ranged ? program_->vpi.by_index(object, signal->left) : nullptr;
  signal->width = measured != nullptr ? static_cast<uint32_t>(program_->vpi.get(vpi_size, measured)) : 0;
  if (measured != object) let_go(*program_, measured);
}

void find_end() {
  watched_end = most_watched;
  while (watched_end > 0 && watched[watched_end - 1].watcher == nullptr) --watched_end;
}

Watch* watch_of(const cairn_watcher* watcher) {
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (watches[i].watcher == watcher) return &watches[i];
  }
  return nullptr;
}

// ---- What plugins call ------------------------------------------------------------------------------------------------------

int32_t simulator() {
  int32_t error = 0;
  const Program* found = program(host_, &error, true);
  if (found == nullptr) return error;
  return found->simulator == Simulator::icarus ? CAIRN_SIMULATOR_ICARUS : CAIRN_SIMULATOR_VERILATOR;
}

int32_t watch(cairn_watcher* watcher) {
  int32_t error = 0;
  const Program* found = program(host_, &error);
  if (found == nullptr) return error;
  Watch* place = watch_of(watcher);
  if (place == nullptr) {
    if (watch_count == most_watchers) return host_->fail(-ENOSPC, "simulation", "eight plugins watch it already");
    place = &watches[watch_count++];
  }
  *place = {watcher, never, never, false, false, false};
  for (Watched& one : watched) {
    if (one.watcher == watcher) one.watcher = nullptr;
  }
  find_end();
  return found->simulator == Simulator::icarus ? watch_icarus(host_, *found) : watch_verilator(host_, *found);
}

uint64_t time_and_unit(int32_t* exponent) {
  *exponent = program_->vpi.get(vpi_precision, nullptr);
  return now();
}

int32_t word(const cairn_signal* memory, int32_t index, cairn_signal* signal) {
  Handle object = memory->kind == CAIRN_SIGNAL_MEMORY ? program_->vpi.by_index(object_of(*memory), index) : nullptr;
  if (object == nullptr) return -ENOENT;
  describe(object, Kind::vector, "", signal);
  return 0;
}

int32_t find(const char* name, cairn_signal* signal) {
  const char* kind_name = "";
  Handle object = find_named(*program_, name);
  if (object != nullptr) {
    const Kind kind = kind_of(*program_, object, &kind_name);
    describe(object, kind, kind_name, signal);
    if (signal->kind != CAIRN_SIGNAL_NONE) return 0;
    let_go(*program_, object);
    return -ENOENT;
  }
  int32_t index = 0;
  cairn_signal memory;
  object = find_before_index(*program_, name, &index);
  if (object == nullptr) return -ENOENT;
  describe(object, kind_of(*program_, object, &kind_name), kind_name, &memory);
  const int32_t error = word(&memory, index, signal);
  let_go(*program_, object);
  return error;
}

int32_t read(const cairn_signal* signal, char* bits, uint64_t capacity) {
  return read_value(*program_, object_of(*signal), Kind::vector, signal->width, bits, capacity) ? 0 : -ENODATA;
}

int32_t put(const cairn_signal* signal, const char* bits) {
  static char after[most_bits + 1];
  VpiValue value = {};
  value.format = vpi_binary;
  value.text = const_cast<char*>(bits);
  program_->vpi.put_value(object_of(*signal), &value, nullptr, vpi_no_delay);
  has_put = true;
  if (read(signal, after, sizeof after) < 0 || !plugin::same(after, bits)) return -EROFS;
  // Whoever has put it knows, and is told of what the design makes of it.
  for (uint32_t i = 0; i < watched_end; ++i) {
    if (watched[i].watcher != nullptr && watched[i].signal == signal) copy_bits(bits, signal->width, watched[i].last);
  }
  return 0;
}

void at(cairn_watcher* watcher, uint64_t time) {
  Watch* of = watch_of(watcher);
  // The simulator has been told, and would come that often.
  if (of == nullptr || of->at == time) return;
  of->at = time;
  if (time != never) expected_->time(time);
}

int32_t on_change(cairn_watcher* watcher, cairn_signal* signal, uint32_t on) {
  Watched* free = watched_end < most_watched ? &watched[watched_end] : nullptr;
  for (uint32_t i = 0; i < watched_end; ++i) {
    Watched& one = watched[i];
    if (one.watcher == watcher && one.signal == signal) {
      if (on == 0) one.watcher = nullptr;
      find_end();
      return 0;
    }
    if (one.watcher == nullptr) free = &one;
  }
  if (on == 0) return 0;
  if (free == nullptr) return -ENOSPC;
  // Of what cannot be read nothing would tell that it has changed.
  if (read(signal, free->last, sizeof free->last) < 0) return -ENODATA;
  if (expected_->change != nullptr && !expected_->change(object_of(*signal))) return -ENOSPC;
  free->watcher = watcher;
  free->signal = signal;
  find_end();
  return 0;
}

void let_go_of(cairn_signal* signal) {
  let_go(*program_, object_of(*signal));
  *signal = {};
}

void settled(cairn_watcher* watcher) {
  Watch* of = watch_of(watcher);
  if (of == nullptr) return;
  of->settles = true;
  expected_->settled();
}

struct Listed {
  int32_t (*each)(void* context, const char* name, const cairn_signal* signal);
  void* context;
};

/// Verilator has parameters among the variables, and knows better when it is asked for them by name.
bool is_meant(Handle object, const char* name, const cairn_signal& signal) {
  if (signal.kind == CAIRN_SIGNAL_NONE || program_->simulator != Simulator::verilator) return signal.kind != CAIRN_SIGNAL_NONE;
  const char* ignored = "";
  Handle named = program_->vpi.by_name(name, nullptr);
  const bool meant = named != nullptr && kind_of(*program_, named, &ignored) != Kind::none;
  if (named != object) let_go(*program_, named);
  return meant;
}

void list(const char* pattern, int32_t (*each)(void* context, const char* name, const cairn_signal* signal), void* context) {
  Listed to = {each, context};
  for_each_named(*program_, pattern, [](void* given, Handle object, const char* name, Kind kind, const char* kind_name) {
    auto* listed = static_cast<Listed*>(given);
    cairn_signal signal;
    describe(object, kind, kind_name, &signal);
    return !is_meant(object, name, signal) || listed->each(listed->context, name, &signal) != 0;
  }, &to);
}

void limit(cairn_watcher* watcher, uint64_t time) {
  Watch* of = watch_of(watcher);
  if (of == nullptr || of->limit == time) return;
  of->limit = time;
  if (time != never) expected_->limit(time);
}

const cairn_design functions = {
    sizeof functions, 0, simulator, watch, time_and_unit, find, word, read, put, at, on_change, settled, list, let_go_of, limit,
};

void reach(const Watch& of, uint32_t moment, cairn_signal* signal = nullptr) { of.watcher->reached(of.watcher, moment, signal); }

}  // namespace

const cairn_design& design_functions(const cairn_host* host) {
  host_ = host;
  return functions;
}

// ---- What the simulation has come to --------------------------------------------------------------------------------------

void watch_begin(const Program& program, const Expected& expected) {
  program_ = &program;
  expected_ = &expected;
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (watches[i].begun) continue;
    watches[i].begun = true;
    reach(watches[i], CAIRN_MOMENT_BEGIN);
  }
}

void watch_time() {
  const uint64_t here = now();
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (watches[i].limit <= here && watches[i].limit != never) {
      watches[i].limit = never;
      reach(watches[i], CAIRN_MOMENT_LIMIT);
    }
    if (watches[i].at > here || watches[i].at == never) continue;
    watches[i].at = never;
    reach(watches[i], CAIRN_MOMENT_TIME);
  }
}

bool watch_changes() {
  static char value[most_bits + 1];
  has_put = false;
  for (uint32_t i = 0; i < watched_end; ++i) {
    Watched& one = watched[i];
    if (one.watcher == nullptr) continue;
    const Watch* of = watch_of(one.watcher);
    if (of == nullptr || !of->begun || read(one.signal, value, sizeof value) < 0 || plugin::same(value, one.last)) continue;
    copy_bits(value, one.signal->width, one.last);
    reach(*of, CAIRN_MOMENT_CHANGE, one.signal);
  }
  return has_put;
}

void watch_settled() {
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (!watches[i].settles) continue;
    watches[i].settles = false;
    reach(watches[i], CAIRN_MOMENT_SETTLED);
  }
}

void watch_end() {
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (!watches[i].begun || watches[i].ended) continue;
    watches[i].ended = true;
    reach(watches[i], CAIRN_MOMENT_END);
  }
}

Waits watch_waits() {
  Waits waits = Waits::nothing;
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (!watches[i].begun || watches[i].settles || watches[i].at != never) return Waits::all;
    if (watches[i].limit != never) waits = Waits::limit;
  }
  return watched_end > 0 ? Waits::all : waits;
}

uint64_t watch_limit() {
  uint64_t first = never;
  for (uint32_t i = 0; i < watch_count; ++i) {
    if (watches[i].limit < first) first = watches[i].limit;
  }
  return first;
}

void forget_watchers() {
  watch_count = 0;
  for (Watched& one : watched) one.watcher = nullptr;
  watched_end = 0;
  has_put = false;
}

bool watch_has_put() {
  const bool put = has_put;
  has_put = false;
  return put;
}

}  // namespace cairn::hdl
