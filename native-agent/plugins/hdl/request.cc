#include "hdl/request.h"

#include <errno.h>

#include "common/text.h"

namespace cairn::hdl {
namespace {

constexpr uint64_t largest_request = 64 * 1024;
constexpr uint64_t room_size = uint64_t{most_writes} * 3 * 256 + 64 * 1024;
constexpr uint32_t most_listed = 10'000;

// Touched by requests alone.
Request current;
char asked[largest_request];
char answer[largest_answer];
uint64_t answer_size = 0;
char room[room_size];
uint64_t room_used = 0;

/// Cuts off the field at *text, which ends at a tab or at the line's end.
char* next_field(char** text) {
  char* field = *text;
  char* end = field;
  while (*end != 0 && *end != '\t') ++end;
  *text = *end == 0 ? end : end + 1;
  *end = 0;
  return field;
}

bool read_write(char* line, Write* write) {
  const char* action = next_field(&line);
  *write = {};
  write->name = next_field(&line);
  write->value = next_field(&line);
  if (plugin::same(action, "set")) write->action = Action::set;
  else if (plugin::same(action, "force")) write->action = Action::force;
  else if (plugin::same(action, "release")) write->action = Action::release;
  else return false;
  return write->name[0] != 0 && (write->action == Action::release || write->value[0] != 0);
}

bool read_watch(char* line, Write* write, const char** operation) {
  *write = {};
  write->name = next_field(&line);
  *operation = next_field(&line);
  write->value = next_field(&line);
  return write->name[0] != 0 && (plugin::same(*operation, "any") || write->value[0] != 0);
}

/// A line behind the first.
bool read_line(char* line) {
  if (current.count == most_writes) return false;
  Write* write = &current.write[current.count];
  const char** operation = &current.operation[current.count++];
  switch (current.what) {
    case What::write: return read_write(line, write);
    case What::watch: return read_watch(line, write, operation);
    case What::read:
      *write = {};
      write->name = next_field(&line);
      return write->name[0] != 0;
    default: return false;
  }
}

bool read_what(const char* text) {
  constexpr struct {
    const char* word;
    What what;
  } known[] = {{"list", What::list}, {"scope", What::scope}, {"instances", What::instances}, {"read", What::read}, {"write", What::write}, {"watch", What::watch}};
  for (const auto& one : known) {
    if (!plugin::same(text, one.word)) continue;
    current.what = one.what;
    return true;
  }
  return false;
}

bool read_lines(char* text) {
  current = {};
  for (bool first = true; *text != 0; first = false) {
    char* line = text;
    while (*text != 0 && *text != '\n') ++text;
    if (*text != 0) *text++ = 0;
    if (!first) {
      if (!read_line(line)) return false;
      continue;
    }
    if (!read_what(next_field(&line))) return false;
    if (current.what == What::write) current.holds = plugin::same(next_field(&line), "hold");
    if (current.what == What::write || current.what == What::read || current.what == What::watch) continue;
    const char *offset = next_field(&line), *limit = next_field(&line);
    int64_t from = 0, most = 0;
    if (!plugin::read_number(&offset, 10, &from) || !plugin::read_number(&limit, 10, &most)) return false;
    if (from < 0 || most < 1) return false;
    current.offset = static_cast<uint64_t>(from);
    current.limit = most > most_listed ? most_listed : static_cast<uint64_t>(most);
    current.pattern = next_field(&line);
  }
  if (current.what == What::watch) return true;
  return current.what == What::write || current.what == What::read ? current.count > 0 : current.pattern != nullptr;
}

}  // namespace

Request& request() { return current; }

int32_t read_request(const cairn_host* host, const cairn_request& from) {
  if (from.text_size >= sizeof asked) return host->fail(-E2BIG, "request", "the request is too long: fewer signals at once, or shorter values");
  const auto* text = static_cast<const char*>(from.text);
  for (uint64_t i = 0; i < from.text_size; ++i) asked[i] = text[i];
  asked[from.text_size] = 0;
  room_used = 0;
  if (!read_lines(asked)) return host->fail(-EINVAL, "request", "the request could not be read");
  return 0;
}

void begin_answer() { answer_size = 0; }

bool add_line(const char* const* fields, uint32_t count, uint64_t reserved) {
  uint64_t size = count + reserved;
  for (uint32_t i = 0; i < count; ++i) size += plugin::length_of(fields[i]);
  if (answer_size + size > largest_answer) return false;
  for (uint32_t i = 0; i < count; ++i) {
    for (const char* at = fields[i]; *at != 0; ++at) {
      // A name of a design has none of these.
      answer[answer_size++] = *at == '\t' || *at == '\n' ? ' ' : *at;
    }
    answer[answer_size++] = i + 1 < count ? '\t' : '\n';
  }
  return true;
}

const char* answer_text(uint64_t* size) {
  *size = answer_size;
  return answer;
}

void* answer_place() { return answer; }
void take_answer(uint64_t size) { answer_size = size; }

char* room_for(uint64_t size) {
  if (size > room_size - room_used) return nullptr;
  char* place = room + room_used;
  room_used += size;
  return place;
}

}  // namespace cairn::hdl
