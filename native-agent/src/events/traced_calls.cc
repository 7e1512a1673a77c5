// The queue has many writers and one reader. A cell's turn says whose it is: `position` may write to it, `position + 1` is to be read. A signal
// handler may leave a writer's frames by longjmp: a cell that was taken and is not written after a while is given up, for good, since
// the writer may have been stopped only, and come back.
#include "events/traced_calls.h"

#include "sys/context.h"
#include "sys/futex.h"

// Both are called by the entries, which keep general registers only: this file is compiled for those.
extern "C" [[gnu::visibility("hidden")]] uint64_t cairn_wrapper_begins(uint64_t number, const char* arguments, uint64_t frame[2]);
extern "C" [[gnu::visibility("hidden")]] void cairn_wrapper_ends(uint64_t number, uint64_t began_ns);

namespace cairn::events {
namespace {

constexpr uint32_t capacity = 4096;
constexpr uintptr_t given_up = UINTPTR_MAX;      // a turn that is nobody's
constexpr uint64_t patience_ns = 200'000'000;    // with a writer
constexpr uint32_t attempts = 64;            // to get a cell, before one is given up
constexpr uint64_t copied_arguments = 512;  // bytes of the caller's stack, that a wrapper may take arguments from

struct Cell {
  uintptr_t turn;
  TracedCall call;
};

Cell cells[capacity];
uintptr_t next_written = 0;
uintptr_t next_read = 0;
uint64_t awaited_since_ns = 0;  // the writer of next_read; 0: nobody is awaited
uintptr_t dropped = 0;
bool noting = false;
bool prepared = false;
uintptr_t wrappers[traced_wraps];

void note(const TracedCall& call) {
  uintptr_t position = __atomic_load_n(&next_written, __ATOMIC_RELAXED);
  for (uint32_t attempt = 0; attempt < attempts; ++attempt) {
    Cell& cell = cells[position % capacity];
    const uintptr_t turn = __atomic_load_n(&cell.turn, __ATOMIC_ACQUIRE);
    if (turn == position) {
      if (!__atomic_compare_exchange_n(&next_written, &position, position + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) continue;
      cell.call = call;
      uintptr_t mine = position;
      // Given up meanwhile, it is counted.
      (void)__atomic_compare_exchange_n(&cell.turn, &mine, position + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
      return;
    }
    if (turn == given_up) {
      (void)__atomic_compare_exchange_n(&next_written, &position, position + 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
      position = __atomic_load_n(&next_written, __ATOMIC_RELAXED);
      continue;
    }
    // Positions of 32 bits begin again from 0.
    if (static_cast<intptr_t>(turn - position) < 0) break;
    position = __atomic_load_n(&next_written, __ATOMIC_RELAXED);
  }
  __atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED);
}

/// Of a writer that has taken the cell, once it has had its time.
bool give_up(Cell* cell) {
  const uint64_t now = sys::now_ns();
  if (awaited_since_ns == 0) awaited_since_ns = now;
  uintptr_t theirs = next_read;
  if (now - awaited_since_ns < patience_ns ||
      !__atomic_compare_exchange_n(&cell->turn, &theirs, given_up, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    return false;
  }
  __atomic_fetch_add(&dropped, 1, __ATOMIC_RELAXED);
  return true;
}

void prepare() {
  for (uint32_t i = 0; i < capacity; ++i) cells[i].turn = i;
  next_written = next_read = dropped = 0;
  awaited_since_ns = 0;
  prepared = true;
}

/// Without reading it. The kernel reads the mask before it finds that there is no such way to set one.
bool is_readable(const char* place) {
  constexpr int no_such_way = 0x7fff;
  return sys::call(SYS_rt_sigprocmask, no_such_way, place, nullptr, 8) != -EFAULT;
}

}  // namespace

void trace_wrapper(uint32_t number, uintptr_t wrapper) {
  if (number < traced_wraps) wrappers[number] = wrapper;
}

void note_calls(bool on) {
  if (on && !prepared) prepare();
  // Of the last time.
  for (TracedCall call; on && take_call(&call);) {}
  if (on) (void)take_dropped_calls();
  __atomic_store_n(&noting, on, __ATOMIC_RELEASE);
}

bool take_call(TracedCall* call) {
  if (!prepared) return false;
  while (next_read != __atomic_load_n(&next_written, __ATOMIC_ACQUIRE)) {
    Cell& cell = cells[next_read % capacity];
    const uintptr_t turn = __atomic_load_n(&cell.turn, __ATOMIC_ACQUIRE);
    if (turn == next_read && !give_up(&cell)) return false;
    ++next_read;
    awaited_since_ns = 0;
    if (turn != next_read) continue;
    *call = cell.call;
    __atomic_store_n(&cell.turn, next_read - 1 + capacity, __ATOMIC_RELEASE);
    return true;
  }
  return false;
}

uint64_t take_dropped_calls() { return __atomic_exchange_n(&dropped, 0, __ATOMIC_RELAXED); }

void forget_noted_calls() {
  if (prepared) prepare();
}

}  // namespace cairn::events

using namespace cairn;
using namespace cairn::events;

/// frame: what is called, and when it began (0: that is not noted). Gives how many bytes of arguments there can be on the stack.
uint64_t cairn_wrapper_begins(uint64_t number, const char* arguments, uint64_t frame[2]) {
  frame[0] = wrappers[number];
  frame[1] = __atomic_load_n(&noting, __ATOMIC_ACQUIRE) ? sys::now_ns() : 0;
  const uint64_t in_page = sys::page_up(reinterpret_cast<uintptr_t>(arguments) + 1) - reinterpret_cast<uintptr_t>(arguments);
  // A stack may end above the caller's frame.
  if (in_page < copied_arguments && !is_readable(arguments + in_page)) return in_page;
  return copied_arguments;
}

void cairn_wrapper_ends(uint64_t number, uint64_t began_ns) {
  if (began_ns == 0 || !__atomic_load_n(&noting, __ATOMIC_RELAXED)) return;
  const auto thread = static_cast<int32_t>(sys::call(SYS_gettid));
  note({static_cast<uint32_t>(number), thread, began_ns, sys::now_ns() - began_ns});
}
