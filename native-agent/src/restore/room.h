// Memory that the restorer needs for itself. Context: restorer, stage one.
#pragma once
#include <stdint.h>
#include <sys/mman.h>

#include "restore/report.h"
#include "sys/syscall.h"

namespace cairn::restore {

/// `address`: 0: anywhere. Ends the process where there is none.
inline void* map_or_give_up(uint64_t address, uint64_t size, sys::Text what) {
  int64_t result = sys::call(SYS_mmap, address, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (address != 0 ? 0x100000 /* MAP_FIXED_NOREPLACE */ : 0), -1, 0);
  if (sys::failed(result)) give_up(what, result);
  return reinterpret_cast<void*>(result);
}

}  // namespace cairn::restore
