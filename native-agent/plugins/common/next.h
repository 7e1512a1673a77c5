// A function of the libraries below Cairn, by its name. [any] Lock-free: looked up in init, or by the first call, which may come from
// another library's constructor before Cairn's. A plugin says whose host that is:
//   template <typename Function> using Next = plugin::Next<host, Function>;
#pragma once
#include <dlfcn.h>

#include "cairn/plugin.h"

namespace cairn::plugin {

template <const cairn_host* const& host, typename Function>
struct Next {
  const char* name;
  Function* function = nullptr;
  Function* get() {
    Function* found = __atomic_load_n(&function, __ATOMIC_RELAXED);
    if (__builtin_expect(found != nullptr, 1)) return found;
    const cairn_host* known = host;
    found = reinterpret_cast<Function*>(known != nullptr ? known->next(name) : dlsym(RTLD_NEXT, name));
    __atomic_store_n(&function, found, __ATOMIC_RELAXED);
    return found;
  }
};

}  // namespace cairn::plugin
