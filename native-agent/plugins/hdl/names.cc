#include "hdl/names.h"

#include "common/text.h"

namespace cairn::hdl {
namespace {

bool has_wildcard(const char* pattern) {
  for (; *pattern != 0; ++pattern) {
    if (*pattern == '*' || *pattern == '?') return true;
  }
  return false;
}

bool fits(const char* pattern, const char* name) {
  const char *star = nullptr, *again = nullptr;
  while (*name != 0) {
    if (*pattern == '*') {
      star = pattern++;
      again = name;
    } else if (*pattern == '?' || *pattern == *name) {
      ++pattern;
      ++name;
    } else if (star != nullptr) {
      pattern = star + 1;
      name = ++again;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == 0;
}

}  // namespace

bool matches(const char* pattern, const char* name) {
  if (*pattern == 0) return true;
  if (has_wildcard(pattern)) return fits(pattern, name);
  const char* rest = nullptr;
  for (; *name != 0; ++name) {
    if (plugin::begins(name, pattern, &rest)) return true;
  }
  return false;
}

bool split_index(const char* name, uint32_t* length, int32_t* index) {
  const size_t size = plugin::length_of(name);
  if (size < 4 || name[size - 1] != ']') return false;
  size_t at = size - 1;
  while (at > 0 && name[at] != '[') --at;
  const char* digits = name + at + 1;
  int64_t number = 0;
  if (at == 0 || !plugin::read_number(&digits, 10, &number) || digits != name + size - 1) return false;
  if (number < INT32_MIN || number > INT32_MAX) return false;
  *length = static_cast<uint32_t>(at);
  *index = static_cast<int32_t>(number);
  return true;
}

bool fit_value(const char* value, uint32_t width, char* bits) {
  const char fill = *value++;
  const size_t digits = plugin::length_of(value);
  // In front of what it has place for there may only be what would be filled in, or zeros.
  for (size_t at = 0; at + width < digits; ++at) {
    if (value[at] != fill && value[at] != '0') return false;
  }
  for (uint32_t at = 0; at < width; ++at) {
    const uint64_t behind = width - at;  // digits from here on
    bits[at] = behind > digits ? fill : value[digits - behind];
  }
  bits[width] = 0;
  return true;
}

}  // namespace cairn::hdl
