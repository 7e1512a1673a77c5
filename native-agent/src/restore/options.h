// The restorer's arguments (main.cc), as they are kept for its later stages. Context: restorer.
#pragma once
#include <stdint.h>

#include "image/handoff.h"
#include "restore/memory.h"
#include "sys/text.h"

namespace cairn::restore {

inline constexpr uint32_t max_rules = 256;
inline constexpr uint32_t max_ended = 1024;  // zombies of one process

struct Options {
  const char* folder = nullptr;
  const char* socket = nullptr;
  const char* list = nullptr;      // the file of the snapshot that says which of its processes
  PathRule rules[max_rules];
  uint32_t rule_count = 0;
  int32_t process = 0;  // of the list; 0: whoever the forks make of this one
  int32_t control = -1; // of a resident restorer: orders come from there
  image::EndedChild ended[max_ended] = {};
  uint32_t ended_count = 0;
  char texts[16384] = {};

  /// They were copied from `other`, texts and all.
  void moved_from(const Options& other);
};

/// Ends the process where they are wrong. Their words may go afterwards.
void parse_options(int count, char** words, Options* options);
/// Ends the process where it is none.
int32_t number_of(sys::Text text);

}  // namespace cairn::restore
