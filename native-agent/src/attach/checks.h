// Why a program cannot be attached, found before anything is done to it. Where: cairn-attach.
// Test: test/probes/attach.test.ts (refusals).
#pragma once
#include <string.h>

#include "attach/target.h"

namespace cairn::attach {

/// What is against it and what to do, for the user; empty: nothing is known.
struct Reason {
  char text[1024] = {};
  [[nodiscard]] bool empty() const { return text[0] == 0; }
};

/// Looks at /proc, the program's file and its memory, which `target` opens.
Reason why_not(Target* target);
/// Why the kernel does not let this process trace that one.
Reason why_no_ptrace(pid_t pid, int error);

}  // namespace cairn::attach
