// What the plugin knows: the rules, the layers of the run folder, the executable. Written only while no thread of the
// application runs (init, RESTART), except the append-only table (table.h). Strings in it are never freed, because a thread may
// have been stopped while it read one. All of it is part of the image, so a second restart finds what the first one set up.
// Test: tests/path_plugin_test.cc.
#pragma once
#include "cairn/plugin.h"
#include "common/kernel.h"
#include "path_text.h"

#include <fcntl.h>

namespace cairn::path {

/// One `--path FROM=TO`.
struct Prefix {
  const char *from;  // virtual, no slash at its end
  const char *to;    // real
  const char *before;
  uint32_t from_length;
  uint32_t to_length;
  uint64_t since_ns;
};

/// One run folder: takes what is written below `root`. A computation that was restarted several times has one for each run;
/// the last is the one that is written to, the others are read only.
struct Layer {
  const char *root;    // virtual working directory at the snapshot; "" for /
  const char *folder;  // real
  uint32_t root_length;
  uint32_t folder_length;
  uint64_t since_ns;
};

inline constexpr uint32_t kMaximumPrefixes = 256;
inline constexpr uint32_t kMaximumLayers = 256;
inline constexpr uint32_t kMaximumExcluded = 256;

struct State {
  const cairn_host *host;
  bool restarted;
  bool own_is_to_be_told;  // what the layers hold (own.h), when the restarted computation runs
  uint32_t prefixes;
  uint32_t layers;
  uint32_t excluded;
  Prefix prefix[kMaximumPrefixes];
  Layer layer[kMaximumLayers];
  const char *exclude[kMaximumExcluded];  // never overlaid: stores, run folders
  const char *executable;                 // virtual path of the program
  const char *snapshot_cwd;               // virtual working directory when the last snapshot was taken
  bool cwd_removed;  // it was removed by then
  uint64_t restarted_ns;
};

extern State state;
/// Not 0: some rule may apply. The only thing that a wrapper looks at otherwise.
extern uint32_t active;

inline bool inactive() { return __builtin_expect(__atomic_load_n(&active, __ATOMIC_RELAXED) == 0, 1); }

/// How terminals are named (the plugin pty's), or null.
inline const cairn_terminals *terminals() {
  return state.host != nullptr ? static_cast<const cairn_terminals *>(state.host->extension("cairn.terminals/1")) : nullptr;
}

/// A system call below every layer of interposition: -errno on failure.
template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(state.host, number, arguments...);
}

}  // namespace cairn::path
