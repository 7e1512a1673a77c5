// Start prepared by another command (the one in Node.js) that must leave nothing of itself in the program: it runs as a child,
// without the caller's descriptors but the standard ones, while this process keeps what the program is to have: descriptors,
// limits, ignored signals, and what signals come meanwhile. It writes its answer to the descriptor that CAIRN_PLAN names:
//
//   FOLDER NUL  COUNT NUL WORD NUL...  COUNT NUL NAME=VALUE NUL...
//
// where the words are those of cairn-launch itself. No answer: there is nothing to start here.
#pragma once
#include <signal.h>

namespace cairn::launch {

struct Preparation {
  const char* folder = nullptr;
  int count = 0;
  char** words = nullptr;
  char** environment = nullptr;
};

bool is_prepared(int count, char** words);

/// Runs `command` with the signal mask `mask`; the signals that go to a program are blocked. Returns its status.
int prepare(char** command, const sigset_t& mask, Preparation* prepared);

}  // namespace cairn::launch
