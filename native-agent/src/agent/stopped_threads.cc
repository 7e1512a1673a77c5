#include "agent/stopped_threads.h"

#include <errno.h>
#include <time.h>

#include "agent/operation.h"
#include "checkpoint/stop.h"
#include "events/calls.h"
#include "events/guard.h"
#include "events/host.h"

namespace cairn::agent {
namespace {

using sys::processor::Registers;

constexpr uint64_t busy_ns = 1'000'000;       // until an operation is over
constexpr uint64_t soonest_ns = 200'000;      // of processor time, which is looked at again and again
constexpr uint64_t processors_at_once = 8;    // it passes so much faster than time at most, as a rule

constexpr long restart_block = -516;          // the kernel knows what is left of the call

cairn_stop* asked = nullptr;    // by any thread
cairn_stop* waiting = nullptr;  // taken by the agent's

uint64_t time_of(uint32_t clock) {
  struct timespec now = {};
  sys::call_unchecked(SYS_clock_gettime, clock == CAIRN_STOP_PROCESSOR ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

void take_asked() {
  cairn_stop* next = __atomic_exchange_n(&asked, nullptr, __ATOMIC_ACQUIRE);
  while (next != nullptr) {
    cairn_stop* one = next;
    next = one->next;
    one->next = waiting;
    waiting = one;
  }
}

/// Nanoseconds until it is due, as far as one can tell; 0: now.
uint64_t left_of(const cairn_stop& stop) {
  const uint64_t now = time_of(stop.clock);
  if (now >= stop.due_ns) return 0;
  const uint64_t left = stop.due_ns - now;
  if (stop.clock != CAIRN_STOP_PROCESSOR) return left;
  return left / processors_at_once > soonest_ns ? left / processors_at_once : soonest_ns;
}

/// A crash costs the plugin its moment, and the program nothing.
void call_back(cairn_stop* list, int32_t error) {
  events::HostFacts& facts = events::facts();
  sys::Error* outer = facts.error;
  while (list != nullptr) {
    cairn_stop* one = list;
    list = one->next;  // it may be asked for again at once
    __atomic_store_n(&one->waits, 0, __ATOMIC_RELEASE);
    sys::Error own;
    facts.error = &own;
    events::call_stopped(one, error);
    if (own.failed()) facts.log(CAIRN_LOG_ERROR, sys::TextBuffer<1100>().add(own.message()).c_str());
  }
  facts.error = outer;
}

// ---- Threads that stand ----
const checkpoint::Stop* stopped = nullptr;
const image::Handoff* restarting = nullptr;

int32_t thread_of_moment(uint32_t index, int32_t* virtual_tid, int32_t* real_tid) {
  *real_tid = stopped->thread(index).real_tid;
  *virtual_tid = virtual_id(*real_tid);
  return 1;
}

void show(const Registers& from, char* xstate, size_t xstate_size, cairn_registers* to) {
  uint64_t values[sys::processor::numbered_registers] = {};
  (void)sys::processor::get_numbered(from, values);
  memcpy(to->general, values, sizeof to->general);
  to->instruction = values[16];
  to->flags = values[17];
  to->extended = reinterpret_cast<uint8_t*>(xstate);
  to->extended_size = static_cast<uint32_t>(xstate_size);
}

bool take(const cairn_registers& from, Registers* to) {
  uint64_t values[sys::processor::numbered_registers];
  memcpy(values, from.general, sizeof from.general);
  values[16] = from.instruction;
  values[17] = from.flags;
  return sys::processor::set_numbered(to, values);
}

/// With which a stopped thread goes on, as the kernel would have it: its call begins anew, or with what is left of it.
int32_t registers_that_go_on(uint32_t index, Registers* registers) {
  const checkpoint::ThreadState& thread = stopped->thread(index);
  if (!thread.stopped) return -ENOENT;
  if (thread.traced != nullptr) return -ENOTSUP;
  *registers = thread.registers;
  if (!thread.changed) {
    const bool waits = sys::processor::call_number(*registers) >= 0 && sys::processor::call_result(*registers) == restart_block;
    if (waits) sys::processor::begin_call_anew(registers, SYS_restart_syscall);
    else sys::processor::make_restartable(registers, -1);
  }
  uint64_t values[sys::processor::numbered_registers];
  return sys::processor::get_numbered(*registers, values) ? 0 : -ENOTSUP;
}

int32_t registers_of_moment(uint32_t index, cairn_registers* registers) {
  Registers found;
  const int32_t result = registers_that_go_on(index, &found);
  const checkpoint::ThreadState& thread = stopped->thread(index);
  if (result == 0) show(found, thread.xstate, thread.xstate_size, registers);
  return result;
}

int32_t set_registers_of_moment(uint32_t index, const cairn_registers* registers) {
  Registers found;
  const int32_t result = registers_that_go_on(index, &found);
  if (result < 0) return result;
  (void)take(*registers, &found);
  stopped->change_thread(index, found);
  return 0;
}

int32_t registers_of_restart(uint32_t index, cairn_registers* registers) {
  const image::ThreadSlot& slot = restarting->slots[index];
  Registers found;
  char* xstate = nullptr;
  size_t xstate_size = 0;
  if (slot.exited != 0) return -ENOENT;
  if (!sys::processor::read_frame(slot.frame, &found, &xstate, &xstate_size)) return -ENOTSUP;
  show(found, xstate, xstate_size, registers);
  return 0;
}

int32_t set_registers_of_restart(uint32_t index, const cairn_registers* registers) {
  const image::ThreadSlot& slot = restarting->slots[index];
  Registers found;
  char* xstate = nullptr;
  size_t xstate_size = 0;
  if (slot.exited != 0) return -ENOENT;
  if (!sys::processor::read_frame(slot.frame, &found, &xstate, &xstate_size)) return -ENOTSUP;
  (void)take(*registers, &found);
  return sys::processor::write_frame(slot.frame, found) ? 0 : -ENOTSUP;
}

int32_t at_the_moment(void* list, const checkpoint::Stop& stop) {
  events::HostFacts& facts = events::facts();
  stopped = &stop;
  facts.thread = thread_of_moment;
  facts.thread_count = stop.thread_count();
  facts.registers = registers_of_moment;
  facts.set_registers = set_registers_of_moment;
  call_back(static_cast<cairn_stop*>(list), 0);
  facts.thread_count = 0;
  forget_registers();
  stopped = nullptr;
  return 0;
}

}  // namespace

int32_t ask_stop(cairn_stop* stop) {
  uint32_t free = 0;
  if (!__atomic_compare_exchange_n(&stop->waits, &free, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return -EALREADY;
  stop->due_ns = time_of(stop->clock) + stop->after_ns;
  stop->next = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);
  while (!__atomic_compare_exchange_n(&asked, &stop->next, stop, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
  }
  return 0;
}

uint64_t look_for_stops() {
  take_asked();
  cairn_stop* due = nullptr;
  uint64_t nearest = 0;
  for (cairn_stop** place = &waiting; *place != nullptr;) {
    cairn_stop* one = *place;
    const uint64_t left = left_of(*one);
    if (left == 0) {
      *place = one->next;
      one->next = due;
      due = one;
      continue;
    }
    if (nearest == 0 || left < nearest) nearest = left;
    place = &one->next;
  }
  if (due == nullptr) return nearest;
  sys::Error error;
  const int32_t result = events::facts().while_stopped(at_the_moment, due, &error);
  // An operation goes on. Whatever else refuses may do so for ever.
  if (result == -EALREADY) {
    while (due != nullptr) {
      cairn_stop* one = due;
      due = one->next;
      one->next = waiting;
      waiting = one;
    }
    return busy_ns;
  }
  if (result < 0) call_back(due, result);
  events::end_guard();
  return 1;
}

void forget_stops() {
  take_asked();
  for (cairn_stop* one = waiting; one != nullptr; one = one->next) one->waits = 0;
  waiting = nullptr;
}

void use_registers_of(const image::Handoff& handoff) {
  restarting = &handoff;
  events::facts().registers = registers_of_restart;
  events::facts().set_registers = set_registers_of_restart;
}

void forget_registers() {
  restarting = nullptr;
  events::facts().registers = nullptr;
  events::facts().set_registers = nullptr;
}

}  // namespace cairn::agent
