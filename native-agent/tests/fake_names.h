// The shared names of a host for tests: those of one process.
#pragma once
#include <errno.h>
#include <stdint.h>

#include <map>
#include <utility>

#include "cairn/plugin.h"

namespace cairn::test {

inline std::map<std::pair<uint32_t, int64_t>, int64_t> names;
inline bool names_are_full = false;

inline void add_names(cairn_host* host) {
  host->set_name = [](uint32_t space, int64_t key, int64_t value) -> int32_t {
    if (names_are_full && names.count({space, key}) == 0) return -ENOSPC;
    names[{space, key}] = value;
    return 0;
  };
  host->claim_name = [](uint32_t space, int64_t key, int64_t value, int64_t* holder) -> int32_t {
    auto [place, made] = names.insert({{space, key}, value});
    *holder = place->second;
    return made ? 0 : -EEXIST;
  };
  host->get_name = [](uint32_t space, int64_t key, int64_t* value) -> int32_t {
    auto found = names.find({space, key});
    if (found == names.end()) return -ENOENT;
    *value = found->second;
    return 0;
  };
  host->remove_name = [](uint32_t space, int64_t key) -> int32_t { return names.erase({space, key}) == 1 ? 0 : -ENOENT; };
  host->next_name = [](uint32_t space, uint32_t* index, int64_t* key, int64_t* value) -> int32_t {
    uint32_t at = 0;
    for (const auto& [place, content] : names) {
      if (place.first != space || at++ < *index) continue;
      *key = place.second;
      *value = content;
      ++*index;
      return 0;
    }
    return -ENOENT;
  };
}

}  // namespace cairn::test
