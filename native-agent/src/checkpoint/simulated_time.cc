#include "checkpoint/simulated_time.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "events/own_processes.h"
#include "sys/futex.h"

namespace cairn::checkpoint {
namespace {

using sys::call;
using sys::call_unchecked;

// From IEEE 1800's vpi_user.h.
struct VpiTime {
  int32_t type;
  uint32_t high;
  uint32_t low;
  double real;
};
enum { vpi_sim_time = 2, vpi_time_precision = 12 };

void (*get_time)(void* object, VpiTime* time);
int32_t (*get_property)(int32_t property, void* object);

struct Answer {
  uint32_t known;
  uint32_t high;
  uint32_t low;
  int32_t unit;
};

constexpr uint64_t patience_ns = 500'000'000;

}  // namespace

void find_simulated_time() {
  get_time = reinterpret_cast<decltype(get_time)>(dlsym(RTLD_DEFAULT, "vpi_get_time"));
  get_property = reinterpret_cast<decltype(get_property)>(dlsym(RTLD_DEFAULT, "vpi_get"));
}

void read_simulated_time(char* text, size_t capacity, int32_t* unit, const Stop& stop) {
  text[0] = 0;
  if (get_time == nullptr || stop.thread_count() == 0 || !stop.thread(0).stopped) return;
  int64_t memory = call(SYS_mmap, nullptr, sys::page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sys::failed(memory)) return;
  auto* answer = reinterpret_cast<Answer*>(memory);
  long child = call(SYS_clone, 0, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) {
    events::be_own_process();
    // As the main thread, whose thread-local variables the simulator may look at. If it dies here, nobody minds: the default
    // action of every signal, so that no handler of the program runs.
    for (int signal = 1; signal < 65; ++signal) {
      uint64_t action[4] = {};
      call_unchecked(SYS_rt_sigaction, signal, action, nullptr, 8);
    }
    struct rlimit64 no_core = {0, 0};
    call_unchecked(SYS_prlimit64, 0, RLIMIT_CORE, &no_core, nullptr);
    sys::processor::use_pointers(sys::processor::pointers_of(stop.thread(0).registers));
    VpiTime time = {vpi_sim_time, 0, 0, 0};
    get_time(nullptr, &time);
    answer->high = time.high;
    answer->low = time.low;
    answer->unit = get_property != nullptr ? get_property(vpi_time_precision, nullptr) : 0;
    __atomic_store_n(&answer->known, 1, __ATOMIC_RELEASE);
    call_unchecked(SYS_exit_group, 0);
  }
  uint64_t deadline = sys::now_ns() + patience_ns;
  bool running = child > 0;
  while (running && sys::now_ns() < deadline) {
    struct timespec pause = {0, 1'000'000};
    call_unchecked(SYS_nanosleep, &pause, nullptr);
    running = call(SYS_wait4, child, nullptr, WNOHANG | __WALL, nullptr) == 0;
  }
  if (running) {
    call_unchecked(SYS_kill, child, SIGKILL);
    call_unchecked(SYS_wait4, child, nullptr, __WALL, nullptr);
  }
  if (child > 0) events::forget_own_process(child);
  if (__atomic_load_n(&answer->known, __ATOMIC_ACQUIRE) != 0) {
    sys::TextBuilder(text, capacity).unsigned_number((static_cast<uint64_t>(answer->high) << 32) | answer->low);
    *unit = answer->unit;
  }
}

}  // namespace cairn::checkpoint
