// See wrap.h.
#include "wrap.h"

extern "C" {
extern cairn::path::NextFunction __start_cairn_path_next[] __attribute__((visibility("hidden")));
extern cairn::path::NextFunction __stop_cairn_path_next[] __attribute__((visibility("hidden")));
}

namespace cairn::path {
namespace {

bool all_looked_up = false;

void *look_up(const char *name) {
  void *function = state.host != nullptr ? state.host->next(name) : dlsym(RTLD_NEXT, name);
  return function;
}

}  // namespace

void *find_next(NextFunction &next) {
  void *function = look_up(next.name);
  if (function == nullptr) __builtin_trap();
  __atomic_store_n(&next.function, function, __ATOMIC_RELAXED);
  return function;
}

void *next_if_there(NextFunction &next) {
  void *function = __atomic_load_n(&next.function, __ATOMIC_RELAXED);
  return function != nullptr || all_looked_up ? function : look_up(next.name);
}

void find_all_next() {
  for (NextFunction *next = __start_cairn_path_next; next != __stop_cairn_path_next; ++next)
    if (void *function = look_up(next->name)) __atomic_store_n(&next->function, function, __ATOMIC_RELAXED);
  all_looked_up = true;
}

}  // namespace cairn::path
