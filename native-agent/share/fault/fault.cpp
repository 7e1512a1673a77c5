/*
 * @NAME@: a fault model for Cairn. As it is a bit of what the nth read() gives turns over, once. Put your own model in its place: what it is told by
 * its settings (Settings), where it stands in front (wraps), what it does there (faulty_read).
 *
 * It is given at a restart: by `--plugin LIBRARY=SETTINGS.json`, and for each run of a campaign (campaign.yaml). Each restart loads the library as it
 * is then: build it anew, and the next run has it.
 */
#include <cairn/plugin.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.hpp"

namespace {

const cairn_host *host;
Report report;

struct Settings {
  uint64_t nth = 1;
  uint64_t bit = 0;
  char report[1024] = "";
};
Settings settings;
uint64_t calls;

/* Enough of JSON for numbers and texts without escapes; settings.schema.json says what there may be. */
const char *value_of(const char *json, const char *key) {
  char quoted[64];
  if (strlen(key) + 3 > sizeof quoted) return nullptr;
  strcat(strcat(strcpy(quoted, "\""), key), "\"");
  const char *at = strstr(json, quoted);
  at = at == nullptr ? nullptr : strchr(at + strlen(quoted), ':');
  return at == nullptr ? nullptr : at + 1 + strspn(at + 1, " \t\r\n");
}

uint64_t number_of(const char *json, const char *key, uint64_t otherwise) {
  const char *value = value_of(json, key);
  return value == nullptr ? otherwise : strtoull(value, nullptr, 10);
}

void text_of(const char *json, const char *key, char *to, size_t capacity) {
  const char *value = value_of(json, key);
  const char *end = value == nullptr || *value != '"' ? nullptr : strchr(value + 1, '"');
  to[0] = 0;
  if (end == nullptr || static_cast<size_t>(end - value) > capacity) return;
  memcpy(to, value + 1, static_cast<size_t>(end - value) - 1);
  to[end - value - 1] = 0;
}

int32_t take_settings(const char *json) {
  settings.nth = number_of(json, "nth", 1);
  settings.bit = number_of(json, "bit", 0);
  text_of(json, "report", settings.report, sizeof settings.report);
  calls = 0;
  return report.open(host, settings.report);
}

/* ---- The fault: in the program's own threads, which may be many ---- */
cairn_function next_read;

ssize_t faulty_read(int fd, void *buffer, size_t size) {
  const auto next = reinterpret_cast<ssize_t (*)(int, void *, size_t)>(next_read);
  const ssize_t result = next(fd, buffer, size);
  report.reached();
  if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != settings.nth) return result;
  const int number = errno;
  if (result < 1 || settings.bit / 8 >= static_cast<uint64_t>(result)) {
    report.result(Report::impossible, "the call gives fewer bytes");
  } else {
    static_cast<uint8_t *>(buffer)[settings.bit / 8] ^= static_cast<uint8_t>(1u << settings.bit % 8);
    report.result(Report::effective, "");
  }
  errno = number;
  return result;
}

const cairn_wrap wrap_read = {sizeof wrap_read, 0, "read", nullptr, reinterpret_cast<cairn_function>(faulty_read), &next_read, &calls};
const cairn_wrap *const wraps[] = {&wrap_read, nullptr};

/* ---- The plugin ---- */
/* [init; at a restart as [restoring]: no malloc, no stdio] */
int32_t init(const cairn_host *given, const char *json) {
  host = given;
  return take_settings(json);
}

int32_t event(uint32_t number, void *data) {
  switch (number) {
    case CAIRN_EVENT_SETTINGS: {
      const int32_t result = take_settings(static_cast<const char *>(data));
      return result < 0 ? result : 1;
    }
    case CAIRN_EVENT_RESTART:
      /* [restoring] The memory is back, no thread runs: what is to happen at once happens here. */
      calls = 0;
      return 0;
    case CAIRN_EVENT_MAPPING_SAVE:
    case CAIRN_EVENT_MAPPING_RESTORE: return report.event(number, data);
    default: return 0;
  }
}

const char *const no_barriers[] = {nullptr};
const cairn_plugin plugin = {
    sizeof plugin, CAIRN_PLUGIN_ABI_MAJOR, CAIRN_PLUGIN_ABI_MINOR, 0, "@NAME@", "0.1.0", "", init, event, nullptr, no_barriers, no_barriers,
    nullptr, wraps, nullptr,
};

}  // namespace

CAIRN_EXPORT const cairn_plugin *cairn_plugin_entry(uint32_t host_major, uint32_t host_minor) {
  return host_major == CAIRN_PLUGIN_ABI_MAJOR && host_minor >= 1 ? &plugin : nullptr;
}
