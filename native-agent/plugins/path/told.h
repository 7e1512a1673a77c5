// Paths in the shared names: a hash stands for each. Any context; no libc.
#pragma once
#include "path_text.h"
#include "state.h"

namespace cairn::path {

inline int64_t hash_of(const char *text, size_t length) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < length; ++i) hash = (hash ^ static_cast<unsigned char>(text[i])) * 1099511628211u;
  return static_cast<int64_t>(hash | 1);
}

inline bool is_told(uint32_t space, int64_t key) {
  int64_t value;
  return state.host->get_name(space, key, &value) == 0;
}

/// The folder that takes what this run writes, the last one; nullptr: it is a run in place.
inline const Layer *run_folder() { return state.layers != 0 ? &state.layer[state.layers - 1] : nullptr; }

}  // namespace cairn::path
