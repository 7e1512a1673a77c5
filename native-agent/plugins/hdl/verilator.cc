// Verilator: the next evaluation of a model is entered. It is made first, so that clocked assignments are over and values have settled, and
// then the request is served, in the same time step; what is put is there for all that is evaluated later. As long as signals are watched each
// evaluation is entered.
#include <pthread.h>
#include <sys/syscall.h>

#include "hdl/design.h"
#include "hdl/safe_point.h"
#include "hdl/serving.h"
#include "hdl/signals.h"
#include "hdl/watch.h"

namespace cairn::hdl {
namespace {

const cairn_host* host_ = nullptr;
const Program* program_ = nullptr;
long evaluating = 0;  // the thread that evaluates while signals are watched

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

/// True: the next evaluation is to be looked at, too.
bool look_on() {
  if (!watching()) return false;
  const long thread = host_->syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
  if (evaluating == 0) evaluating = thread;
  if (evaluating != thread) {
    drop_watches("several threads evaluate models: signals cannot be watched there, and are not any more");
    return false;
  }
  look_at_watches(*program_);
  return watching();
}

uint32_t evaluates(cairn_entry* entry, const uint64_t* arguments) {
  reinterpret_cast<void (*)(void*)>(entry->function)(reinterpret_cast<void*>(static_cast<uintptr_t>(arguments[0])));
  const bool watched = watching();
  if (serve(serving_number())) hold_after_write();
  take_watches(*program_, false);
  if (!watched) evaluating = 0;
  return look_on() ? CAIRN_ENTRY_AGAIN : CAIRN_ENTRY_RETURN;
}

cairn_entry entries[Program::most_models];

// ---- Plugins that watch: each evaluation, for as long as they wait for something --------------------------------------------------

cairn_entry each_entries[Program::most_models];
cairn_entry end_entries[Program::most_models];

/// What has nothing to wait for is called at each step all the same.
void no_time(uint64_t) {}
void no_settled() {}
constexpr Expected expected = {no_time, no_settled, nullptr};

/// More do not settle it: the design assigns again and again what is put.
constexpr uint32_t most_rounds = 4;

/// The one thread that whoever watches is called in: the first that evaluates.
uintptr_t watched_thread = 0;

bool is_watched_thread() {
  const auto own = static_cast<uintptr_t>(pthread_self());
  uintptr_t nobody = 0;
  return __atomic_compare_exchange_n(&watched_thread, &nobody, own, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) || nobody == own;
}

uint32_t evaluated(cairn_entry* entry, const uint64_t* arguments) {
  const auto evaluate = reinterpret_cast<void (*)(void*)>(entry->original);
  auto* const model = reinterpret_cast<void*>(static_cast<uintptr_t>(arguments[0]));
  evaluate(model);
  if (!is_watched_thread()) return CAIRN_ENTRY_RETURN;
  if (watch_is_idle()) {
    (void)host_->leave(entry);
    return CAIRN_ENTRY_RETURN;
  }
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
  return CAIRN_ENTRY_RETURN;
}

uint32_t ends(cairn_entry*, const uint64_t*) {
  watch_end();
  return CAIRN_ENTRY_GO_ON;
}

}  // namespace

int32_t arm_verilator(const cairn_host* host, const Program& program) {
  program_ = &program;
  host_ = host;
  cairn_entry* all[Program::most_models];
  for (uint32_t i = 0; i < program.models; ++i) {
    entries[i].size = sizeof(cairn_entry);
    entries[i].function = reinterpret_cast<cairn_function>(program.evaluate[i]);
    entries[i].entered = evaluates;
    all[i] = &entries[i];
  }
  return host->enter(all, program.models, nullptr, nullptr);
}

int32_t watch_verilator(const cairn_host* host, const Program& program) {
  host_ = host;
  program_ = &program;
  __atomic_store_n(&watched_thread, 0, __ATOMIC_RELEASE);
  // One that an image has is for a request that nobody waits for any more; its bytes would be taken for the function's own.
  for (uint32_t i = 0; i < program.models; ++i) {
    if (entries[i].armed == 1) (void)host->leave(&entries[i]);
  }
  cairn_entry* all[2 * Program::most_models];
  uint32_t count = 0;
  for (uint32_t i = 0; i < program.models; ++i) {
    cairn_entry& entry = each_entries[i];
    entry.size = sizeof entry;
    entry.function = reinterpret_cast<cairn_function>(program.evaluate[i]);
    entry.entered = evaluated;
    entry.each = 1;
    all[count++] = &entry;
  }
  for (uint32_t i = 0; i < program.ends; ++i) {
    cairn_entry& entry = end_entries[i];
    entry.size = sizeof entry;
    entry.function = reinterpret_cast<cairn_function>(program.end[i]);
    entry.entered = ends;
    all[count++] = &entry;
  }
  return host->enter(all, count, nullptr, nullptr);
}

void disarm_verilator(const cairn_host* host) {
  if (watching()) return;
  for (uint32_t i = 0; program_ != nullptr && i < program_->models; ++i) (void)host->leave(&entries[i]);
}

}  // namespace cairn::hdl
