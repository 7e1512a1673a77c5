// Icarus: its scheduler looks between two events whether it is to stop, and then calls stop_handler(int). That call is entered, and left out
// where nobody else wanted to stop. There a callback for the end of the time step's assignments is registered, since what is put before would be
// lost to non-blocking ones that wait; values are read when the time step has settled. Who really stops meanwhile ($stop, a signal) is
// seen by the entries of schedule_stop(int) and of the handler of signals.
#include "hdl/design.h"
#include "hdl/safe_point.h"
#include "hdl/serving.h"
#include "hdl/signals.h"
#include "hdl/watch.h"

namespace cairn::hdl {
namespace {

const cairn_host* host_ = nullptr;
const Program* program_ = nullptr;
uint32_t stops = 0;  // somebody else wants to stop


int32_t settled(VpiCallback* callback);
int32_t assigned(VpiCallback* callback);

void expect(int32_t reason, int32_t (*function)(VpiCallback*), uint32_t number, uint64_t delay = 0) {
  VpiTime when = {vpi_simulated_time, static_cast<uint32_t>(delay >> 32), static_cast<uint32_t>(delay), 0};
  VpiCallback callback = {reason, function, nullptr, &when, nullptr, 0, reinterpret_cast<char*>(uintptr_t{number})};
  (void)program_->vpi.register_callback(&callback);
}

uint32_t number_of(const VpiCallback* callback) { return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(callback->user_data)); }

int32_t assigned(VpiCallback* callback) {
  if (!begin_serving(number_of(callback))) return 0;
  write_signals(*program_);
  expect(callback_read_only, settled, number_of(callback));
  // What was written may stop the simulation before this time step is over.
  pause_serving();
  return 0;
}

int32_t settled(VpiCallback* callback) {
  if (request().what == What::write) {
    if (!go_on_serving(number_of(callback))) return 0;
    answer_writes(*program_);
    const bool holds = request().holds;
    end_serving();
    if (holds) hold_after_write();
    return 0;
  }
  if (!begin_serving(number_of(callback))) return 0;
  answer_reads(*program_);
  end_serving();
  return 0;
}

// ---- Plugins that watch -----------------------------------------------------------------------------------------------------

uint64_t now() { return time_of(*program_); }

bool begins = false;         // they are to be told that it begins
bool looks = false;          // it will be looked for changes in this time step
bool looks_settled = false;

int32_t watched_settles(VpiCallback*) {
  looks_settled = false;
  watch_settled();
  return 0;
}

/// More do not settle it: a signal has been bridged to its own inverse, or the design assigns again and again what is put.
constexpr uint32_t most_rounds = 100;
uint64_t round_time = 0;
uint32_t rounds = 0;

/// All assignments of the time step are made.
int32_t watched_assigned(VpiCallback*) {
  looks = false;
  const uint64_t here = now();
  if (here != round_time) rounds = 0;
  round_time = here;
  if (++rounds > most_rounds) return 0;
  watch_time();
  (void)watch_changes();
  return 0;
}

void look() {
  if (looks) return;
  looks = true;
  expect(callback_read_write, watched_assigned, 0);
}

int32_t look_soon(VpiCallback*) {
  if (watch_waits() == Waits::all) look();
  return 0;
}

int32_t time_has_come(VpiCallback*) {
  if (watch_waits() != Waits::nothing) look();
  return 0;
}

void expect_time(uint64_t ticks) {
  const uint64_t here = now();
  if (ticks <= here) look();
  else expect(callback_after_delay, time_has_come, 0, ticks - here);
}

bool counts = false;  // each time step is looked at for a limit

int32_t step_passes(VpiCallback*);

int32_t step_begins(VpiCallback*) {
  counts = false;
  if (watch_limit() <= now()) {
    look();
  } else if (watch_limit() != UINT64_MAX) {
    // Older versions call what is registered in such a callback in the same step, and so for ever.
    counts = true;
    expect(callback_read_write, step_passes, 0);
  }
  return 0;
}

int32_t step_passes(VpiCallback*) {
  expect(callback_next_time, step_begins, 0);
  return 0;
}

/// A callback after a delay is an event of the simulation like others: one that has none of its own left would not end.
void expect_limit(uint64_t) {
  if (counts) return;
  counts = true;
  expect(callback_next_time, step_begins, 0);
}

void expect_settled() {
  if (looks_settled) return;
  looks_settled = true;
  expect(callback_read_only, watched_settles, 0);
}

/// Signals whose changes the simulator tells of, once each, for the rest of its life: whoever holds and lets go of one again and again
/// would have it told as often as that.
constexpr uint32_t most_told = 1024;
Handle told[most_told];
uint32_t told_count = 0;

bool expect_change(Handle object) {
  for (uint32_t i = 0; i < told_count; ++i) {
    if (told[i] == object) return true;
  }
  if (told_count == most_told) return false;
  VpiTime time = {vpi_suppressed_time, 0, 0, 0};
  VpiValue value = {};
  value.format = vpi_suppressed_value;
  VpiCallback callback = {callback_value_change, look_soon, object, &time, &value, 0, nullptr};
  if (program_->vpi.register_callback(&callback) == nullptr) return false;
  told[told_count++] = object;
  return true;
}

constexpr Expected expected = {expect_time, expect_limit, expect_settled, expect_change};

int32_t watched_ends(VpiCallback*) {
  watch_end();
  return 0;
}

int32_t watched_begins(VpiCallback*) {
  watch_begin(*program_, expected);
  return 0;
}

void begin_watching() {
  begins = looks = looks_settled = counts = false;
  rounds = 0;
  expect(callback_read_write, watched_begins, 0);
  static bool knows_end = false;
  if (!knows_end) expect(callback_end_of_simulation, watched_ends, 0);
  knows_end = true;
}

// ---- The way in -------------------------------------------------------------------------------------------------------------

uint32_t stop_asked(cairn_entry*, const uint64_t*) {
  __atomic_store_n(&stops, 1, __ATOMIC_RELEASE);
  return CAIRN_ENTRY_GO_ON;
}

uint32_t between_events(cairn_entry*, const uint64_t*);

cairn_entry asked_entry = {sizeof(cairn_entry), 0, nullptr, stop_asked, {0, 0}};
cairn_entry signal_entry = {sizeof(cairn_entry), 0, nullptr, stop_asked, {0, 0}};
cairn_entry stop_entry = {sizeof(cairn_entry), 0, nullptr, between_events, {0, 0}};

uint32_t between_events(cairn_entry*, const uint64_t*) {
  (void)host_->leave(&asked_entry);
  if (program_->signals_handler != nullptr) (void)host_->leave(&signal_entry);
  const int32_t mode = *program_->mode_flag;
  *program_->mode_flag = mode_read_write;
  if (begins) begin_watching();
  const uint32_t number = serving_number();
  if (is_waiting(number) && request().what == What::watch) {
    if (begin_serving(number)) {
      take_watches(*program_, true);
      end_serving();
    }
  } else {
    take_watches(*program_, false);
    if (is_waiting(number) && request().what == What::write) expect(callback_read_write, assigned, number);
    else if (is_waiting(number)) expect(callback_read_only, settled, number);
  }
  *program_->mode_flag = mode;
  return __atomic_exchange_n(&stops, 0, __ATOMIC_ACQ_REL) != 0 ? CAIRN_ENTRY_GO_ON : CAIRN_ENTRY_RETURN;
}

/// All threads stand.
void ask_to_stop(void*) {
  // Of a request that was given up the simulation has not come yet.
  if (stop_entry.armed != 0) return;
  stops = program_->schedule_stopped() ? 1 : 0;
  program_->schedule_stop(0);
}

int32_t arm(const cairn_host* host, const Program& program) {
  host_ = host;
  program_ = &program;
  stop_entry.function = reinterpret_cast<cairn_function>(program.stop_handler);
  asked_entry.function = reinterpret_cast<cairn_function>(program.schedule_stop);
  signal_entry.function = reinterpret_cast<cairn_function>(program.signals_handler);
  cairn_entry* const entries[] = {&stop_entry, &asked_entry, &signal_entry};
  return host->enter(entries, program.signals_handler != nullptr ? 3 : 2, ask_to_stop, nullptr);
}

}  // namespace

int32_t arm_icarus(const cairn_host* host, const Program& program) { return arm(host, program); }

int32_t watch_icarus(const cairn_host* host, const Program& program) {
  begins = true;
  return arm(host, program);
}

// The scheduler will call stop_handler, and must not find it as it is.
void disarm_icarus(const cairn_host*) {}

}  // namespace cairn::hdl
