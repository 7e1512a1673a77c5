#include "checkpoint/simulated_time.h"

#include <dlfcn.h>

#include "checkpoint/copy.h"

namespace cairn::checkpoint {
namespace {

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
  uint32_t high;
  uint32_t low;
  int32_t unit;
};

constexpr uint64_t patience_ns = 500'000'000;

int64_t read(void*, void* result, uint64_t) {
  VpiTime time = {vpi_sim_time, 0, 0, 0};
  get_time(nullptr, &time);
  *static_cast<Answer*>(result) = {time.high, time.low, get_property != nullptr ? get_property(vpi_time_precision, nullptr) : 0};
  return 0;
}

}  // namespace

void find_simulated_time() {
  get_time = reinterpret_cast<decltype(get_time)>(dlsym(RTLD_DEFAULT, "vpi_get_time"));
  get_property = reinterpret_cast<decltype(get_property)>(dlsym(RTLD_DEFAULT, "vpi_get"));
}

void read_simulated_time(char* text, size_t capacity, int32_t* unit, const Stop& stop) {
  text[0] = 0;
  Answer answer = {};
  if (get_time == nullptr || run_in_copy(stop, read, nullptr, &answer, sizeof answer, patience_ns) < 0) return;
  sys::TextBuilder(text, capacity).unsigned_number((static_cast<uint64_t>(answer.high) << 32) | answer.low);
  *unit = answer.unit;
}

}  // namespace cairn::checkpoint
