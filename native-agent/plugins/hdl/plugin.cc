// The plugin of design signals (ARCHITECTURE.md, "Design signals"): answers requests for signals of a hardware simulation, and owns nothing
// that a snapshot has. What is asked and answered: request.h; what it offers other plugins: design.h. Not to be taken for the plugin `signal`, which has Unix signals.
// Tests: tests/hdl_plugin_test.cc, test/simulators/signals.test.ts.
#include <cairn/plugin.h>

#include <errno.h>

#include "common/text.h"
#include "hdl/design.h"
#include "hdl/request.h"
#include "hdl/safe_point.h"
#include "hdl/serving.h"
#include "hdl/signals.h"
#include "hdl/watch.h"

namespace cairn::hdl {
namespace {

enum Stage : uint32_t { idle, waits, served };

constexpr char why_not[] = "design signals are read or written";  // no checkpoint now

const cairn_host* host = nullptr;
uint32_t number = 0;    // of the last request; Cairn's thread changes it
uint32_t state = idle;  // its number times 4, and its stage
const Program* entered = nullptr;

bool move(uint32_t of, Stage from, Stage to) {
  uint32_t before = of * 4 + from;
  return __atomic_compare_exchange_n(&state, &before, of * 4 + to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// True: nobody serves it, and nobody will.
bool take_back() { return move(number, waits, idle); }

void disarm() {
  if (entered == nullptr) return;
  if (entered->simulator == Simulator::icarus) disarm_icarus(host);
  else disarm_verilator(host);
}

int32_t give_up(uint32_t reason) {
  if (!take_back()) return 0;
  disarm();
  if (request().what == What::watch) give_up_watches();
  static const char late[] =
      "the simulation has not come to where its signals can be read and written: it has ended its run, stands at a prompt or a breakpoint, "
      "or waits in a call of its own (for input, for another process); ask again when it goes on";
  static const char operation[] = "a checkpoint or hold has come first; ask again";
  const char* why = reason == CAIRN_REQUEST_LATE ? late : operation;
  return host->answer(reason == CAIRN_REQUEST_LATE ? -ETIMEDOUT : -EAGAIN, why, plugin::length_of(why));
}

bool is_look(const cairn_request& from) {
  const auto* text = static_cast<const char*>(from.text);
  return from.text_size == 4 && text[0] == 'l' && text[1] == 'o' && text[2] == 'o' && text[3] == 'k';
}

int32_t arm(const Program& found) { return found.simulator == Simulator::icarus ? arm_icarus(host, found) : arm_verilator(host, found); }

int64_t answer_in_copy(void* context, void* result, uint64_t capacity) {
  const auto& found = *static_cast<const Program*>(context);
  if (found.mode_flag != nullptr) *found.mode_flag = mode_read_write;
  if (request().what == What::watch) answer_watches(found);
  else answer_reads(found);
  uint64_t size = 0;
  const char* text = answer_text(&size);
  if (size > capacity) return -EMSGSIZE;
  for (uint64_t i = 0; i < size; ++i) static_cast<char*>(result)[i] = text[i];
  return static_cast<int64_t>(size);
}

/// The threads are stopped, wherever they are: what only looks is done in a copy.
int32_t answer_held(const Program& found) {
  const int64_t size = host->in_copy(answer_in_copy, const_cast<Program*>(&found), answer_place(), largest_answer);
  if (size < 0) {
    return host->fail(size == -EBUSY ? -EBUSY : -EAGAIN, "simulation",
                      "the simulation is held where its signals cannot be looked at (within its own memory management); resume it, and hold it again");
  }
  take_answer(static_cast<uint64_t>(size));
  if (request().what == What::watch) {
    const int32_t error = arm(found);
    if (error < 0) {
      give_up_watches();
      return error;
    }
  }
  uint64_t ignored = 0;
  return host->answer(0, answer_text(&ignored), static_cast<uint64_t>(size));
}

int32_t begin(const cairn_request& from) {
  int32_t error = 0;
  const Program* found = program(host, &error);
  if (found == nullptr) return error;
  // Which of several processes is it?
  if (is_look(from)) {
    const char* name = found->simulator == Simulator::icarus ? "simulator\ticarus\n" : "simulator\tverilator\n";
    return host->answer(0, name, plugin::length_of(name));
  }
  error = read_request(host, from);
  if (error < 0) return error;
  if (request().what == What::watch && !want_watches(host)) return host->fail(-EAGAIN, "simulation", "the simulation is just taking up others; ask again");
  entered = found;
  if (from.held != 0 && request().what != What::write) return answer_held(*found);
  number = (number + 1) & 0xffffff;
  __atomic_store_n(&state, number * 4 + waits, __ATOMIC_RELEASE);
  error = arm(*found);
  // What has been answered meanwhile has no other answer.
  if (error < 0 && !take_back()) return 0;
  if (error < 0 && request().what == What::watch) give_up_watches();
  return error;
}

int32_t requested(const cairn_request* request) { return request->stage == CAIRN_REQUEST_BEGIN ? begin(*request) : give_up(request->reason); }

int32_t init(const cairn_host* given, const char*) {
  host = given;
  return host->publish("cairn.design/1", &design_functions(host));
}

int32_t event(uint32_t number_of_event, void*) {
  // Nobody waits here for what the simulation was asked where it was copied.
  if (number_of_event != CAIRN_EVENT_RESTART && number_of_event != CAIRN_EVENT_FORK_CHILD) return 0;
  __atomic_store_n(&state, number * 4 + idle, __ATOMIC_RELEASE);
  forget_watches();
  forget_watchers();
  forget_thread_of_verilator();
  return 0;
}

}  // namespace

uint32_t serving_number() { return __atomic_load_n(&state, __ATOMIC_ACQUIRE) / 4; }

bool begin_serving(uint32_t asked) {
  host->forbid_checkpoint(why_not);
  if (move(asked, waits, served)) return true;
  host->allow_checkpoint();
  return false;
}

void pause_serving() { host->allow_checkpoint(); }

bool go_on_serving(uint32_t asked) {
  host->forbid_checkpoint(why_not);
  if (__atomic_load_n(&state, __ATOMIC_ACQUIRE) == asked * 4 + served) return true;
  host->allow_checkpoint();
  return false;
}

void end_serving() {
  uint64_t size = 0;
  const char* text = answer_text(&size);
  __atomic_store_n(&state, number * 4 + idle, __ATOMIC_RELEASE);
  (void)host->answer(0, text, size);
  host->allow_checkpoint();
}

bool is_waiting(uint32_t asked) { return __atomic_load_n(&state, __ATOMIC_ACQUIRE) == asked * 4 + waits; }

bool holds_soon() {
  return (__atomic_load_n(&state, __ATOMIC_ACQUIRE) & 3) == served && request().what == What::write && request().holds;
}

void hold_after_write() {
  const char *what = "", *why = "a signal was written";
  (void)take_change(&what, &why);
  (void)host->request_hold(what, why);
}

}  // namespace cairn::hdl

extern "C" const struct cairn_plugin cairn_plugin_hdl = {
    sizeof(cairn_plugin), CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "hdl", "1.0", "Cairn", cairn::hdl::init,
    cairn::hdl::event, nullptr, nullptr, nullptr, nullptr, nullptr, cairn::hdl::requested,
};
