// Giving variables new values at a restart. [restoring]: no thread runs, memory comes from the host. The order of the variables
// is kept; new ones come at the end; of several entries with one name, of which getenv sees the first, one is left.
// Test: tests/path_plugin_test.cc.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "changes.h"

// Bound as every library's reference is: to the program's own copy where it has one.
extern "C" char **environ;

namespace cairn::env {

Changes changes;

namespace {

bool names(const char *entry, const char *name, size_t length) { return strncmp(entry, name, length) == 0 && entry[length] == '='; }

const char *value_of(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    if (names(*entry, name, length)) return *entry + length + 1;
  return nullptr;
}

const char *copy_of(const cairn_host *host, const char *text) {
  size_t length = strlen(text);
  char *copy = static_cast<char *>(host->allocate((length + 16) & ~uint64_t{15}));
  if (copy != nullptr) memcpy(copy, text, length);
  return copy;
}

bool note(const cairn_host *host, const char *name, bool removed, uint64_t now) {
  for (uint32_t i = 0; i < changes.count; ++i)
    if (strcmp(changes.list[i].name, name) == 0) {  // named twice: the last one counts
      changes.list[i].removed = removed;
      return true;
    }
  const char *value = value_of(name);
  const char *before = value != nullptr ? copy_of(host, value) : nullptr;  // the application may free its own
  const char *copy = copy_of(host, name);
  if (copy == nullptr || (value != nullptr && before == nullptr)) return false;
  changes.list[changes.count++] = {copy, before, removed, now};
  return true;
}

uint32_t count_settings(const cairn_host *host, uint32_t kind) {
  uint32_t count = 0;
  while (host->setting(kind, count, nullptr) != nullptr) ++count;
  return count;
}

/// Takes all entries of a name out of the new array, but keeps the place of the first: its index, or count if there is none.
size_t take_out(char **entries, size_t &count, const char *name, bool keep_place) {
  size_t length = strlen(name), place = count, kept = 0;
  bool seen = false;
  for (size_t i = 0; i < count; ++i) {
    if (names(entries[i], name, length)) {
      if (seen || !keep_place) continue;
      seen = true;
      place = kept;
    }
    entries[kept++] = entries[i];
  }
  count = kept;
  entries[count] = nullptr;
  return seen ? place : count;
}

bool bad_name(const char *name) { return name[0] == 0 || strchr(name, '=') != nullptr; }

int32_t no_memory(const cairn_host *host) { return host->fail(-ENOMEM, "environ", "no memory for the new environment"); }

}  // namespace

int32_t apply(const cairn_host *host) {
  uint32_t set = count_settings(host, CAIRN_SETTING_ENVIRONMENT);
  uint32_t unset = count_settings(host, CAIRN_SETTING_ENVIRONMENT_UNSET);
  changes.count = 0;
  changes.restarted = true;
  if (set + unset == 0) return 0;

  changes.list = static_cast<Change *>(host->allocate(((set + unset) * sizeof(Change) + 15) & ~uint64_t{15}));
  size_t count = 0;
  while (environ != nullptr && environ[count] != nullptr) ++count;
  char **entries = static_cast<char **>(host->allocate(((count + set + 1) * sizeof(char *) + 15) & ~uint64_t{15}));
  if (changes.list == nullptr || entries == nullptr) return no_memory(host);
  for (size_t i = 0; i < count; ++i) entries[i] = environ[i];
  struct timespec time = {};
  host->syscall(SYS_clock_gettime, CLOCK_REALTIME, reinterpret_cast<long>(&time), 0, 0, 0, 0);
  uint64_t now = static_cast<uint64_t>(time.tv_sec) * 1000000000u + static_cast<uint64_t>(time.tv_nsec);

  for (uint32_t i = 0; i < unset; ++i) {
    const char *name = host->setting(CAIRN_SETTING_ENVIRONMENT_UNSET, i, nullptr);
    if (bad_name(name)) return host->fail(-EINVAL, name, "this is no name of an environment variable");
    if (value_of(name) == nullptr) continue;
    if (!note(host, name, true, now)) return no_memory(host);
    (void)take_out(entries, count, name, false);
  }
  for (uint32_t i = 0; i < set; ++i) {
    const char *value = nullptr;
    const char *name = host->setting(CAIRN_SETTING_ENVIRONMENT, i, &value);
    if (name == nullptr || bad_name(name)) return host->fail(-EINVAL, name, "this is no name of an environment variable");
    if (value == nullptr) value = "";
    size_t name_length = strlen(name), value_length = strlen(value);
    char *entry = static_cast<char *>(host->allocate((name_length + value_length + 2 + 15) & ~uint64_t{15}));
    if (entry == nullptr || !note(host, name, false, now)) return no_memory(host);
    memcpy(entry, name, name_length);
    entry[name_length] = '=';
    memcpy(entry + name_length + 1, value, value_length);
    size_t place = take_out(entries, count, name, true);
    entries[place] = entry;
    if (place == count) entries[++count] = nullptr;
  }
  environ = entries;
  return 0;
}

}  // namespace cairn::env
