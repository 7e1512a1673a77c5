// libc's functions below this plugin's wrappers. [any] Looked up in init, or by the first call before that.
#pragma once
#include <dlfcn.h>

#include "cairn/plugin.h"

#pragma GCC diagnostic ignored "-Wignored-attributes"

namespace cairn::exec {

extern const cairn_host* host;

template <typename Function>
struct Next {
  const char* name;
  Function* function = nullptr;
  Function* get() {
    Function* found = __atomic_load_n(&function, __ATOMIC_RELAXED);
    if (found != nullptr) return found;
    found = reinterpret_cast<Function*>(host != nullptr ? host->next(name) : dlsym(RTLD_NEXT, name));
    __atomic_store_n(&function, found, __ATOMIC_RELAXED);
    return found;
  }
};

void prepare();
int32_t publish_streams();

}  // namespace cairn::exec
