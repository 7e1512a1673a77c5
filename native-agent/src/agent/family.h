// The relatives of this process as a checkpoint finds them: parent, session, and the children, with those that have ended and
// that nobody has waited for. Context: quiesced.
#pragma once
#include <stdint.h>

#include "sys/arena.h"
#include "sys/error.h"

namespace cairn::agent {

struct Child {
  int32_t virtual_pid;
  int32_t real_pid;
  bool ended;
  int32_t wait_status;
};

struct Family {
  int32_t virtual_parent = 0;
  int32_t virtual_session = 0;
  bool session_terminal = false;  // it leads a session that has a controlling terminal
  Child* children = nullptr;
  uint32_t child_count = 0;
  [[nodiscard]] uint32_t living() const {
    uint32_t count = 0;
    for (uint32_t i = 0; i < child_count; ++i) count += children[i].ended ? 0 : 1;
    return count;
  }
};

/// The list is the arena's. Our own helpers (`tracer`, `writer`; 0: none) are no children.
bool read_family(sys::Arena* arena, int32_t tracer, int32_t writer, Family* family, sys::Error* error);

}  // namespace cairn::agent
