// An append-only table of names, for what the running program adds: mapped files and whiteouts. Any context: lookups and
// insertions take no lock and call no libc; memory comes from anonymous mappings, which are part of the image. Nothing is
// ever removed; of two entries with one key the newer one is found.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::path {

enum class Kind : uint32_t {
  kFile = 1,      // virtual path → real path
  kFileReal = 2,  // the reverse
  kWhiteout = 3   // virtual path: hidden in all layers below `layer`
};

struct Entry {
  Entry *next;         // in its bucket
  Entry *older;        // inserted before this one
  const char *key;
  const char *value;   // "" for whiteouts
  const char *before;  // kFile: the real path before the last restart
  uint64_t since_ns;
  Kind kind;
  uint32_t hash;
  uint32_t key_length;
  uint32_t value_length;
  int32_t layer;
  bool shadowed;       // kFile: the overlay finds the same file; shown in tables, not looked at
};

/// The newest entry with this key, or null.
Entry *find(Kind kind, const char *key, size_t length);
/// The next older entry with the same key.
Entry *find_older(const Entry *entry);
/// All entries, newest first: follow `older`.
Entry *newest();
/// Whether any entry of this kind was ever made.
bool any(Kind kind);
/// Null when there is no memory.
Entry *insert(Kind kind, const char *key, size_t length, const char *value, int32_t layer, const char *before,
              uint64_t since_ns, bool shadowed);
/// A copy that lives for ever, or null.
const char *keep(const char *text, size_t length);

}  // namespace cairn::path
