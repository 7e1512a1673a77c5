// Verilator: the next evaluation of a model is entered. It is made first, so that clocked assignments are over and values have settled, and
// then the request is served, in the same time step; what is put is there for all that is evaluated later. As long as anybody watches (a request of
// signals whose changes hold the computation, watch.h; plugins, design.h) each evaluation is entered, by one entry that serves all of them, requests
// included. All that is done there is done by one thread, the first that evaluates: VPI is for one.
//
// Who leaves. The simulation's thread takes an entry out when nobody watches any more, while Cairn's thread may just find it armed and rely on it:
// `leaving` says so, and the latter arms it anew. No checkpoint comes in between, since a restart arms entries, too.
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "hdl/design.h"
#include "hdl/safe_point.h"
#include "hdl/serving.h"
#include "hdl/signals.h"
#include "hdl/watch.h"

namespace cairn::hdl {
namespace {

const cairn_host* host_ = nullptr;
const Program* program_ = nullptr;

/// Of the request that waits. True: the computation is to be held now.
bool serve(uint32_t number) {
  if (!is_waiting(number) || !begin_serving(number)) return false;
  bool holds = false;
  if (request().what == What::write) {
    write_signals(*program_);
    answer_writes(*program_);
    holds = request().holds;
  } else if (request().what == What::watch) {
    take_watches(*program_, true);
  } else {
    answer_reads(*program_);
  }
  end_serving();
  return holds;
}

uint32_t evaluates(cairn_entry* entry, const uint64_t* arguments) {
  reinterpret_cast<void (*)(void*)>(entry->function)(reinterpret_cast<void*>(static_cast<uintptr_t>(arguments[0])));
  if (serve(serving_number())) hold_after_write();
  return CAIRN_ENTRY_RETURN;
}

// ---- Each evaluation, for as long as anybody watches ------------------------------------------------------------------------

/// Of each model: entered once, for a request while nobody watches; each time; and its ends, of which the first that comes counts.
cairn_entry once_entries[Program::most_models];
cairn_entry each_entries[Program::most_models];
cairn_entry end_entries[Program::most_ends];

/// What has nothing to wait for is called at each step all the same.
void no_time(uint64_t) {}
void no_settled() {}
constexpr Expected expected = {no_time, no_time, no_settled, nullptr};

/// More do not settle it: the design assigns again and again what is put.
constexpr uint32_t most_rounds = 4;
/// Of a limit alone it is enough to see that it is over soon after.
constexpr uint32_t evaluations_for_limit = 255;

uintptr_t watching_thread = 0;
uint32_t others_evaluate = 0;
uint32_t leaving = 0;
uint32_t was_leaving = 0;

bool is_watching_thread() {
  const auto own = static_cast<uintptr_t>(pthread_self());
  uintptr_t nobody = 0;
  if (__atomic_load_n(&watching_thread, __ATOMIC_RELAXED) == own) return true;
  return __atomic_compare_exchange_n(&watching_thread, &nobody, own, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || nobody == own;
}

void look_at_signals() {
  if (!watching()) return;
  if (__atomic_load_n(&others_evaluate, __ATOMIC_RELAXED) != 0) {
    drop_watches("several threads evaluate models: signals cannot be watched there, and are not any more");
    return;
  }
  look_at_watches(*program_);
}

void tell_plugins(void (*evaluate)(void*), void* model) {
  if (watch_waits() == Waits::nothing) return;
  (void)watch_has_put();
  watch_begin(*program_, expected);
  watch_time();
  bool put = watch_has_put();
  put = watch_changes() || put;
  // Logic follows what was put in the same time step, as it would in hardware; what is driven is then as its drivers have it.
  for (uint32_t round = 0; put && round < most_rounds; ++round) {
    evaluate(model);
    put = watch_changes();
  }
  if (put) evaluate(model);
  watch_settled();
}

bool nobody_watches() { return !watching() && watch_waits() == Waits::nothing; }

void leave(cairn_entry* entry) {
  host_->forbid_checkpoint("Cairn leaves the simulation's evaluation");
  __atomic_store_n(&leaving, 1, __ATOMIC_SEQ_CST);
  if (nobody_watches() && !is_waiting(serving_number())) {
    (void)host_->leave(entry);
    __atomic_store_n(&others_evaluate, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&watching_thread, 0, __ATOMIC_RELEASE);
  }
  __atomic_store_n(&leaving, 0, __ATOMIC_SEQ_CST);
  host_->allow_checkpoint();
}

uint32_t evaluated(cairn_entry* entry, const uint64_t* arguments) {
  const auto evaluate = reinterpret_cast<void (*)(void*)>(entry->original);
  auto* const model = reinterpret_cast<void*>(static_cast<uintptr_t>(arguments[0]));
  evaluate(model);
  if (!is_watching_thread()) {
    __atomic_store_n(&others_evaluate, 1, __ATOMIC_RELAXED);
    return CAIRN_ENTRY_RETURN;
  }
  if (serve(serving_number())) hold_after_write();
  take_watches(*program_, false);
  tell_plugins(evaluate, model);
  look_at_signals();
  if (nobody_watches()) leave(entry);
  else entry->skip = !watching() && watch_waits() == Waits::limit ? evaluations_for_limit : 0;
  return CAIRN_ENTRY_RETURN;
}

uint32_t ends(cairn_entry*, const uint64_t*) {
  watch_end();
  return CAIRN_ENTRY_GO_ON;
}

cairn_entry* set_up(cairn_entry* entry, void (*function)(void*), uint32_t (*entered)(cairn_entry*, const uint64_t*), uint32_t each) {
  entry->size = sizeof *entry;
  entry->function = reinterpret_cast<cairn_function>(function);
  entry->entered = entered;
  entry->each = each;
  return entry;
}

/// All threads stand.
void look_at_leaving(void*) {
  was_leaving = __atomic_load_n(&leaving, __ATOMIC_SEQ_CST);
  for (cairn_entry& entry : each_entries) entry.skip = 0;
}

int32_t enter_all(cairn_entry* const* all, uint32_t count) {
  constexpr uint32_t most_attempts = 1000;
  for (uint32_t attempt = 0; attempt < most_attempts; ++attempt) {
    was_leaving = 0;
    const int32_t error = host_->enter(all, count, look_at_leaving, nullptr);
    if (error < 0 || was_leaving == 0) return error;
    struct timespec pause = {0, 1'000'000};
    host_->syscall(SYS_nanosleep, reinterpret_cast<long>(&pause), 0, 0, 0, 0, 0);
  }
  return host_->fail(-EAGAIN, "simulation", "the simulation's thread does not go on; ask again");
}

}  // namespace

int32_t arm_verilator(const cairn_host* host, const Program& program) {
  program_ = &program;
  host_ = host;
  const bool watches = request().what == What::watch && request().count > 0;
  cairn_entry* all[Program::most_models];
  for (uint32_t i = 0; i < program.models; ++i) {
    cairn_entry &once = once_entries[i], &each = each_entries[i];
    // One of a request that was given up: its bytes would be taken for the function's own.
    if (watches && once.armed == 1) (void)host->leave(&once);
    const bool is_watched = watches || __atomic_load_n(&each.armed, __ATOMIC_ACQUIRE) != 0;
    all[i] = is_watched ? set_up(&each, program.evaluate[i], evaluated, 1) : set_up(&once, program.evaluate[i], evaluates, 0);
  }
  return enter_all(all, program.models);
}

int32_t watch_verilator(const cairn_host* host, const Program& program) {
  host_ = host;
  program_ = &program;
  // One that an image has is for a request that nobody waits for any more.
  disarm_verilator(host);
  cairn_entry* all[Program::most_models + Program::most_ends];
  uint32_t count = 0;
  for (uint32_t i = 0; i < program.models; ++i) all[count++] = set_up(&each_entries[i], program.evaluate[i], evaluated, 1);
  for (uint32_t i = 0; i < program.ends; ++i) all[count++] = set_up(&end_entries[i], program.end[i], ends, 0);
  return enter_all(all, count);
}

void forget_thread_of_verilator() {
  __atomic_store_n(&watching_thread, 0, __ATOMIC_RELEASE);
  others_evaluate = leaving = 0;
}

void disarm_verilator(const cairn_host* host) {
  for (cairn_entry& entry : once_entries) {
    if (entry.armed == 1) (void)host->leave(&entry);
  }
}

}  // namespace cairn::hdl
