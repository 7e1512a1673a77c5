// Rules for files: what becomes of a file that is open or mapped, by its virtual path. They are the setting "files": lines
// "save|check|ignore PATTERN", of which the first that fits decides. [quiesced, restoring] Test: tests/file_rules_test.cc.
#pragma once
#include <stdint.h>

#include "cairn/plugin.h"

namespace cairn::file {

enum class Rule : uint32_t {
  none,
  save,    // the content goes with the snapshot
  check,   // it stays where it is, and must be there unchanged
  ignore,  // it stays where it is, and is used as it is then
};

/// * and ? do not match a slash, ** does; a pattern without a slash is for the last part of the path.
bool matches(const char* pattern, uint64_t size, const char* path);

/// What a text of rules says of a path.
Rule rule_in(const char* rules, const char* path);

/// What the settings say.
Rule rule_of(const cairn_host* host, const char* path);

/// [restoring] Whether a file may be used that is not as it was: a rule or a setting of the restart allows it, or its content was
/// found to be the same.
bool may_differ(const cairn_host* host, const char* path);

}  // namespace cairn::file
