#include "launch/exact_bytes.h"

#include <string.h>

#include "launch/preparation.h"

namespace cairn::launch {
namespace {

constexpr char replacement[] = "\xef\xbf\xbd";

bool is_ascii(char byte) { return (byte & 0x80) == 0; }

/// How many bytes of a replacement become one is for each decoder to say: only what is between them is compared.
bool is_same_text(const char* text, const char* bytes) {
  if (strstr(text, replacement) == nullptr) return false;
  for (;;) {
    bool foreign = !is_ascii(*text);
    if (foreign != !is_ascii(*bytes)) return false;
    while (!is_ascii(*text)) ++text;
    while (!is_ascii(*bytes)) ++bytes;
    for (; is_ascii(*text) && *text != 0; ++text, ++bytes) {
      if (*text != *bytes) return false;
    }
    if (*text == 0) return *bytes == 0;
  }
}

int count_of(char** list) {
  int count = 0;
  while (list[count] != nullptr) ++count;
  return count;
}

}  // namespace

void restore_bytes(char** command, char** variables, Preparation* prepared) {
  int given = count_of(command);
  for (int back = 1; back <= prepared->count && back <= given; ++back) {
    char*& word = prepared->words[prepared->count - back];
    if (is_same_text(word, command[given - back])) word = command[given - back];
  }
  for (char** one = prepared->environment; *one != nullptr; ++one) {
    for (char** own = variables; *own != nullptr && strstr(*one, replacement) != nullptr; ++own) {
      if (is_same_text(*one, *own)) *one = *own;
    }
  }
}

}  // namespace cairn::launch
