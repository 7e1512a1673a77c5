#include "remote/patterns.h"

#include <sstream>

namespace cairn::remote {
namespace {

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Skips the options at `at`; those in `with_value` take the next word where their value is not in the same.
size_t skip_options(const std::vector<std::string>& words, size_t at, const std::string& with_value) {
  while (at < words.size() && words[at].size() > 1 && words[at][0] == '-') {
    const std::string& word = words[at++];
    if (word == "--") break;
    for (size_t i = 1; i < word.size(); ++i) {
      if (with_value.find(word[i]) == std::string::npos) continue;
      if (i + 1 == word.size()) ++at;
      break;
    }
  }
  return at;
}

std::string joined(const std::vector<std::string>& words, size_t from) {
  std::string text;
  for (size_t i = from; i < words.size(); ++i) text += (i > from ? " " : "") + words[i];
  return text;
}

bool recognise_one(const std::vector<std::string>& pattern, const std::vector<std::string>& words, Found* found) {
  if (pattern.empty() || words.empty() || base_name(words[0]) != base_name(pattern[0])) return false;
  size_t at = 1;
  for (size_t i = 1; i < pattern.size(); ++i) {
    const std::string& one = pattern[i];
    if (one.rfind("{options", 0) == 0) {
      size_t colon = one.find(':');
      at = skip_options(words, at, colon == std::string::npos ? "" : one.substr(colon + 1, one.size() - colon - 2));
    } else if (one == "{command}" || one == "{shell}") {
      if (at >= words.size()) return false;
      found->launcher.assign(words.begin(), words.begin() + static_cast<long>(at));
      found->shell = one == "{shell}";
      if (found->shell) found->program = {joined(words, at)};
      else found->program.assign(words.begin() + static_cast<long>(at), words.end());
      return true;
    } else {
      // {host}, alone or within a word, stands for any; what is none has to be the same.
      if (at >= words.size() || (one.find("{host}") == std::string::npos && one != words[at])) return false;
      ++at;
    }
  }
  return false;
}

}  // namespace

bool recognise(const std::string& patterns, const std::vector<std::string>& words, Found* found) {
  std::istringstream lines(patterns);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream parts(line);
    std::vector<std::string> pattern;
    for (std::string part; parts >> part;) pattern.push_back(part);
    if (recognise_one(pattern, words, found)) return true;
  }
  return false;
}

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (char letter : word) text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

}  // namespace cairn::remote
