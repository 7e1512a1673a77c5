#include "rules.h"

#include "common/text.h"

namespace cairn::file {
namespace {

struct Pattern {
  const char* at;
  const char* end;
};

bool fits(Pattern pattern, const char* text) {
  // The last star, and what it has taken so far: one more character when what follows does not fit.
  Pattern after_star = {nullptr, nullptr};
  const char* taken = nullptr;
  bool over_slashes = false;
  Pattern after_long = {nullptr, nullptr};  // likewise for **, to which is gone back when a * may take no more
  const char* taken_by_long = nullptr;
  for (;;) {
    if (pattern.at < pattern.end && *pattern.at == '*') {
      over_slashes = pattern.at + 1 < pattern.end && pattern.at[1] == '*';
      pattern.at += over_slashes ? 2 : 1;
      after_star = pattern;
      taken = text;
      if (over_slashes) {
        // "**/" also stands for no folder at all.
        if (pattern.at < pattern.end && *pattern.at == '/' && fits({pattern.at + 1, pattern.end}, text)) return true;
        after_long = pattern;
        taken_by_long = text;
      }
      continue;
    }
    if (*text == 0 && pattern.at == pattern.end) return true;
    bool same = pattern.at < pattern.end && *text != 0 && (*pattern.at == *text || (*pattern.at == '?' && *text != '/'));
    if (same) {
      ++pattern.at;
      ++text;
      continue;
    }
    if (after_star.at != nullptr && *taken != 0 && (over_slashes || *taken != '/')) {
      text = ++taken;
      pattern = after_star;
      if (over_slashes) taken_by_long = taken;
      continue;
    }
    if (after_long.at == nullptr || *taken_by_long == 0) return false;
    text = ++taken_by_long;
    pattern = after_star = after_long;
    taken = text;
    over_slashes = true;
  }
}

const char* last_part(const char* path) {
  const char* part = path;
  for (; *path != 0; ++path)
    if (*path == '/') part = path + 1;
  return part;
}

}  // namespace

bool matches(const char* pattern, uint64_t size, const char* path) {
  bool has_slash = false;
  for (uint64_t i = 0; i < size; ++i) has_slash = has_slash || pattern[i] == '/';
  return fits({pattern, pattern + size}, has_slash ? path : last_part(path));
}

Rule rule_in(const char* rules, const char* path) {
  static constexpr struct {
    const char* word;
    Rule rule;
  } kWords[] = {{"save ", Rule::save}, {"check ", Rule::check}, {"ignore ", Rule::ignore}};
  for (const char* line = rules; *line != 0;) {
    const char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    for (const auto& [word, rule] : kWords) {
      const char* pattern;
      if (plugin::begins(line, word, &pattern) && matches(pattern, static_cast<uint64_t>(end - pattern), path)) return rule;
    }
    line = *end == 0 ? end : end + 1;
  }
  return Rule::none;
}

Rule rule_of(const cairn_host* host, const char* path) {
  const char* rules = plugin::option(host, "files");
  return rules == nullptr ? Rule::none : rule_in(rules, path);
}

bool may_differ(const cairn_host* host, const char* path) {
  if (rule_of(host, path) == Rule::ignore) return true;
  const char* value = nullptr;
  for (uint32_t i = 0; const char* key = host->setting(CAIRN_SETTING_OPTION, i, &value); ++i) {
    if (plugin::same(key, "files.changed") && plugin::same(value, "use")) return true;
    if (plugin::same(key, "files.same") && plugin::same(value, path)) return true;
  }
  return false;
}

}  // namespace cairn::file
