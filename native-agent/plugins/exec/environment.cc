#include "exec/environment.h"

#include <string.h>

extern "C" char** environ;

namespace cairn::exec {
namespace {

constexpr size_t capacity = 4200;
// "NAME=value" each; empty: not known. In the image.
char variables[4][capacity];
constexpr const char* names[4] = {"CAIRN_AGENT_SOCKET=", "CAIRN_COMPUTATION=", "CAIRN_SESSION=", "CAIRN_STORE="};
constexpr char preload[] = "LD_PRELOAD=";
constexpr size_t preload_length = sizeof preload - 1;
char library[capacity];

bool begins(const char* text, const char* prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

void set(char* place, const char* first, const char* second) {
  size_t length = strlen(first), more = strlen(second);
  if (length + more >= capacity) return;
  memcpy(place, first, length);
  memcpy(place + length, second, more + 1);
}

bool is_separator(char character) { return character == ':' || character == ' '; }

/// Whether a list of libraries names ours.
bool has_library(const char* list) {
  size_t length = strlen(library);
  for (const char* at = list; *at != 0;) {
    size_t size = 0;
    while (at[size] != 0 && !is_separator(at[size])) ++size;
    if (size == length && memcmp(at, library, length) == 0) return true;
    at += size;
    while (is_separator(*at)) ++at;
  }
  return false;
}

size_t count_of(char* const* environment) {
  size_t count = 0;
  while (environment != nullptr && environment[count] != nullptr) ++count;
  return count;
}

const char* preload_of(char* const* environment) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    if (begins(*environment, preload)) return *environment + preload_length;
  }
  return "";
}

bool is_ours(const char* entry) {
  if (begins(entry, preload)) return true;
  for (const char* name : names) {
    if (begins(entry, name)) return true;
  }
  return false;
}

}  // namespace

void remember_environment() {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    for (size_t i = 0; i < 4; ++i) {
      if (begins(*entry, names[i])) set(variables[i], names[i], *entry + strlen(names[i]));
    }
    if (!begins(*entry, preload)) continue;
    // The coordinator puts ours first.
    size_t length = 0;
    const char* list = *entry + preload_length;
    while (list[length] != 0 && !is_separator(list[length])) ++length;
    if (length < capacity) {
      memcpy(library, list, length);
      library[length] = 0;
    }
  }
}

void remember_settings(const cairn_host* host) {
  const char* value = nullptr;
  for (uint32_t i = 0; const char* key = host->setting(CAIRN_SETTING_ENVIRONMENT, i, &value); ++i) {
    for (size_t n = 0; n < 4; ++n) {
      size_t length = strlen(names[n]) - 1;
      if (strlen(key) == length && memcmp(key, names[n], length) == 0) set(variables[n], names[n], value);
    }
  }
}

size_t room_for(char* const* environment) {
  return (count_of(environment) + 6) * sizeof(char*) + preload_length + strlen(library) + strlen(preload_of(environment)) + 2;
}

char** complete(char* const* environment, void* room) {
  char** result = static_cast<char**>(room);
  size_t count = 0;
  for (size_t i = 0; environment != nullptr && environment[i] != nullptr; ++i) {
    if (begins(environment[i], "CAIRN_OUTSIDE=1")) return const_cast<char**>(environment);
  }
  for (size_t i = 0; environment != nullptr && environment[i] != nullptr; ++i) {
    if (!is_ours(environment[i])) result[count++] = environment[i];
  }
  for (char* variable : variables) {
    if (variable[0] != 0) result[count++] = variable;
  }
  const char* others = preload_of(environment);
  char* text = reinterpret_cast<char*>(result + count_of(environment) + 6);
  if (library[0] != 0 || others[0] != 0) {
    result[count++] = text;
    memcpy(text, preload, preload_length);
    text += preload_length;
    if (library[0] != 0 && !has_library(others)) {
      memcpy(text, library, strlen(library));
      text += strlen(library);
      if (others[0] != 0) *text++ = ':';
    }
    memcpy(text, others, strlen(others) + 1);
  }
  result[count] = nullptr;
  return result;
}

}  // namespace cairn::exec
