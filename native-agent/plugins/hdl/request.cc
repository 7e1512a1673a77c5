#include "hdl/request.h"

#include <errno.h>

#include "common/text.h"

namespace cairn::hdl {
namespace {

constexpr uint64_t largest_request = 64 * 1024;
constexpr uint64_t largest_answer = 256 * 1024;
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

bool read_lines(char* text) {
  current = {};
  for (bool first = true; *text != 0; first = false) {
    char* line = text;
    while (*text != 0 && *text != '\n') ++text;
    if (*text != 0) *text++ = 0;
    if (!first) {
      if (!current.writes || current.count == most_writes || !read_write(line, &current.write[current.count++])) return false;
      continue;
    }
    const char* what = next_field(&line);
    current.writes = plugin::same(what, "write");
    if (current.writes) continue;
    const char *offset = next_field(&line), *limit = next_field(&line);
    int64_t from = 0, most = 0;
    if (!plugin::same(what, "list") || !plugin::read_number(&offset, 10, &from) || !plugin::read_number(&limit, 10, &most)) return false;
    if (from < 0 || most < 1) return false;
    current.offset = static_cast<uint64_t>(from);
    current.limit = most > most_listed ? most_listed : static_cast<uint64_t>(most);
    current.pattern = next_field(&line);
  }
  return current.writes ? current.count > 0 : current.pattern != nullptr;
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

char* room_for(uint64_t size) {
  if (size > room_size - room_used) return nullptr;
  char* place = room + room_used;
  room_used += size;
  return place;
}

}  // namespace cairn::hdl
