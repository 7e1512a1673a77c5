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

namespace {

/// 0: the digit cannot be written in hexadecimal.
char hex_digit(const char* bits, uint32_t count) {
  uint32_t number = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if ((bits[0] == 'x' || bits[0] == 'z') && bits[i] == bits[0]) continue;
    if (bits[i] != '0' && bits[i] != '1') return 0;
    if (bits[0] == 'x' || bits[0] == 'z') return 0;
    number = number * 2 + (bits[i] - '0');
  }
  if (bits[0] == 'x' || bits[0] == 'z') return bits[0];
  return "0123456789abcdef"[number];
}

}  // namespace

void format_value(const char* bits, char* text, uint32_t capacity) {
  const auto width = static_cast<uint32_t>(plugin::length_of(bits));
  plugin::Text<2048> out, digits;
  out.add(int64_t{width});
  bool hexadecimal = width > 1;
  for (uint32_t at = 0; at < width && hexadecimal;) {
    const uint32_t count = (width - at - 1) % 4 + 1;
    const char digit[2] = {hex_digit(bits + at, count), 0};
    hexadecimal = digit[0] != 0;
    digits.add(digit);
    at += count;
  }
  out.add(hexadecimal ? "'h" : "'b").add(hexadecimal ? digits.text() : bits);
  uint32_t size = 0;
  for (; size < out.size() && size + 1 < capacity; ++size) text[size] = out.text()[size];
  text[size] = 0;
}

bool read_operation(const char* word, Operation* operation) {
  constexpr const char* words[] = {"any", "==", "!=", "<", "<=", ">", ">="};
  for (uint32_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
    if (!plugin::same(word, words[i])) continue;
    *operation = static_cast<Operation>(i);
    return true;
  }
  return false;
}

namespace {

template <class Value>
bool compared(Operation operation, Value value, Value than) {
  switch (operation) {
    case Operation::any: return true;
    case Operation::equal: return value == than;
    case Operation::other: return value != than;
    case Operation::less: return value < than;
    case Operation::at_most: return value <= than;
    case Operation::more: return value > than;
    case Operation::at_least: return value >= than;
  }
  return false;
}

bool is_number(const char* bits) {
  for (; *bits != 0; ++bits) {
    if (*bits != '0' && *bits != '1') return false;
  }
  return true;
}

}  // namespace

bool holds(Operation operation, const char* value, const char* than) {
  if (operation > Operation::other && !(is_number(value) && is_number(than))) return false;
  uint64_t at = 0;
  while (value[at] != 0 && value[at] == than[at]) ++at;
  return compared<int>(operation, value[at], than[at]);
}

bool holds(Operation operation, double value, double than) { return compared(operation, value, than); }

}  // namespace cairn::hdl
