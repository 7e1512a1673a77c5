#include "exec/environment.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/kernel.h"
#include "common/text.h"
#include "exec/next.h"

extern "C" char** environ;

namespace cairn::exec {
namespace {

constexpr size_t capacity = 4200;
// "NAME=value" each; empty: not known. In the image.
constexpr size_t name_count = 5;
char variables[name_count][capacity];
constexpr const char* names[name_count] = {"CAIRN_AGENT_SOCKET=", "CAIRN_COMPUTATION=", "CAIRN_SESSION=", "CAIRN_STORE=", "CAIRN_LAUNCHERS="};
constexpr size_t launchers_name = 4;
constexpr char preload[] = "LD_PRELOAD=";
constexpr size_t preload_length = sizeof preload - 1;
char library[capacity];
bool attached = false;

bool begins(const char* text, const char* prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

void set(char* place, const char* first, const char* second) {
  size_t length = strlen(first), more = strlen(second);
  if (length + more >= capacity) return;
  memcpy(place, first, length);
  memcpy(place + length, second, more + 1);
}

bool is_separator(char character) { return character == ':' || character == ' '; }

/// The agent, of this installation or of one that an earlier run had.
bool is_agent(const char* entry, size_t size) {
  constexpr char name[] = "/libcairn.so";
  constexpr size_t length = sizeof name - 1;
  return size >= length && memcmp(entry + size - length, name, length) == 0;
}

char* append(char* text, const char* entry, size_t size) {
  memcpy(text, entry, size);
  return text + size;
}

/// The variable with our library first, and then what `others` names besides agents; preload_size(others) bytes at most.
void write_preload(char* text, const char* others) {
  text = append(text, preload, preload_length);
  text = append(text, library, strlen(library));
  for (const char* at = others; *at != 0;) {
    size_t size = 0;
    while (at[size] != 0 && !is_separator(at[size])) ++size;
    if (size > 0 && !is_agent(at, size)) text = append(append(text, ":", 1), at, size);
    at += size;
    while (is_separator(*at)) ++at;
  }
  *text = 0;
}

size_t preload_size(const char* others) { return preload_length + strlen(library) + strlen(others) + 2; }

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

/// Also in the application's own environment: libc's system() and popen() hand that on without asking us.
void use_library(const cairn_host* host, const char* path) {
  memcpy(library, path, strlen(path) + 1);
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!begins(*entry, preload)) continue;
    const char* others = *entry + preload_length;
    auto* text = static_cast<char*>(host->allocate((preload_size(others) + 15) & ~size_t{15}));
    if (text == nullptr) return;
    write_preload(text, others);
    *entry = text;
  }
}

bool is_ours(const char* entry) {
  if (begins(entry, preload)) return true;
  for (const char* name : names) {
    if (begins(entry, name)) return true;
  }
  return false;
}

void remember_variables(const cairn_host* host) {
  const char* value = nullptr;
  for (uint32_t i = 0; const char* key = host->setting(CAIRN_SETTING_ENVIRONMENT, i, &value); ++i) {
    for (size_t n = 0; n < name_count; ++n) {
      size_t length = strlen(names[n]) - 1;
      if (strlen(key) == length && memcmp(key, names[n], length) == 0) set(variables[n], names[n], value);
    }
  }
}

const cairn_environment* handed_on(const cairn_host* host) {
  return host == nullptr ? nullptr : static_cast<const cairn_environment*>(host->extension("cairn.environment/1"));
}

bool has_name_of(char* const* environment, size_t count, const char* entry) {
  size_t length = strcspn(entry, "=") + 1;
  for (size_t i = 0; i < count; ++i)
    if (strncmp(environment[i], entry, length) == 0) return true;
  return false;
}

}  // namespace

void remember_environment() {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    for (size_t i = 0; i < name_count; ++i) {
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

bool is_attached() { return attached; }

void remember_attached(const cairn_host* host) {
  attached = plugin::option(host, "attached") != nullptr;
  const char* given = plugin::option(host, "library");
  if (!attached) return;
  if (given != nullptr) set(library, given, "");
  remember_variables(host);
}

void remember_settings(const cairn_host* host) {
  // A coordinator that does not say it has the installation that the image knows.
  const char* given = plugin::option(host, "library");
  if (given != nullptr && strlen(given) < capacity && strcmp(given, library) != 0) use_library(host, given);
  remember_variables(host);
}

bool is_launcher(const char* path, char* const* environment) {
  const char* list = variables[launchers_name];
  if (list[0] == 0) return false;
  const char* slash = strrchr(path, '/');
  const char* name = slash != nullptr ? slash + 1 : path;
  size_t length = strlen(name);
  for (const char* line = list + strlen(names[launchers_name]); *line != 0;) {
    size_t word = strcspn(line, " \n");
    const char* start = line;
    for (size_t i = 0; i < word; ++i) {
      if (line[i] == '/') start = line + i + 1;
    }
    if (length > 0 && static_cast<size_t>(line + word - start) == length && memcmp(start, name, length) == 0) {
      // The launcher itself, below our own program.
      for (; environment != nullptr && *environment != nullptr; ++environment) {
        if (begins(*environment, "CAIRN_OUTSIDE=1") || begins(*environment, "CAIRN_LAUNCHER_PLAIN=1")) return false;
      }
      return true;
    }
    line += strcspn(line, "\n");
    if (*line == '\n') ++line;
  }
  return false;
}

namespace {
/// A file beside the agent for programs of this kind, in the dynamic linker's word.
bool beside_agent(const char* kind, const char* name, char* path, size_t size) {
  constexpr char variable[] = "$PLATFORM";
  const char* slash = strrchr(library, '/');
  if (slash == nullptr || static_cast<size_t>(slash - library) + strlen(name) + 1 > size) return false;
  const char* place = strstr(library, variable);
  if (place != nullptr && place < slash) {
    path = append(path, library, static_cast<size_t>(place - library));
    path = append(path, kind, strlen(kind));
    place += sizeof variable - 1;
  } else {
    place = library;
  }
  path = append(path, place, static_cast<size_t>(slash - place));
  memcpy(path, name, strlen(name) + 1);
  return true;
}
}  // namespace

bool remote_program(char* path, size_t size) { return beside_agent("x86_64", "/cairn-remote", path, size); }

bool has_agent_for(bool wide) {
  char path[PATH_MAX];
  // Without the variable the agent is one of our own kind.
  if (strstr(library, "$PLATFORM") == nullptr) return wide == (sizeof(void*) == 8);
  return beside_agent(wide ? "x86_64" : "i686", "/libcairn.so", path, sizeof path) &&
         plugin::call(host, SYS_faccessat, AT_FDCWD, path, R_OK) == 0;
}

namespace {
size_t entries_for(const cairn_host* host, char* const* environment) {
  size_t entries = count_of(environment) + name_count + 2;
  const cairn_environment* known = handed_on(host);
  for (uint32_t i = 0; known != nullptr && known->added(i) != nullptr; ++i) ++entries;
  return entries;
}
}  // namespace

size_t room_for(const cairn_host* host, char* const* environment) {
  return entries_for(host, environment) * sizeof(char*) + preload_size(preload_of(environment));
}

char** complete(const cairn_host* host, char* const* environment, void* room) {
  char** result = static_cast<char**>(room);
  const cairn_environment* known = handed_on(host);
  size_t count = 0;
  for (size_t i = 0; environment != nullptr && environment[i] != nullptr; ++i) {
    if (begins(environment[i], "CAIRN_OUTSIDE=1")) return const_cast<char**>(environment);
  }
  for (size_t i = 0; environment != nullptr && environment[i] != nullptr; ++i) {
    if (is_ours(environment[i])) continue;
    const char* entry = known != nullptr ? known->entry(environment[i]) : environment[i];
    if (entry != nullptr) result[count++] = const_cast<char*>(entry);
  }
  // Whoever clears the environment wants it empty.
  for (uint32_t i = 0; count > 0 && known != nullptr && known->added(i) != nullptr; ++i) {
    if (!has_name_of(result, count, known->added(i))) result[count++] = const_cast<char*>(known->added(i));
  }
  for (char* variable : variables) {
    if (variable[0] != 0) result[count++] = variable;
  }
  const char* others = preload_of(environment);
  char* text = reinterpret_cast<char*>(result + entries_for(host, environment));
  if (library[0] != 0 || others[0] != 0) {
    result[count++] = text;
    write_preload(text, others);
  }
  result[count] = nullptr;
  return result;
}

}  // namespace cairn::exec
