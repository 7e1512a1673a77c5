// Owns: the ids in the text of files of /proc; see proc_text.h. The names of fields are those of proc(5).
#include "pid/proc_text.h"

#include <errno.h>
#include <string.h>

#include "common/text.h"
#include "pid/ids.h"
#include "pid/terminals.h"

namespace cairn::pid {

namespace {

using Translate = int32_t (*)(int32_t);

int32_t shown_id(int32_t id) { return to_virtual(Space::id, id); }
int32_t shown_parent(int32_t id) { return virtual_parent(id); }
int32_t shown_group(int32_t id) { return to_virtual(Space::group, id); }
int32_t shown_session(int32_t id) { return to_virtual(Space::session, id); }
int32_t shown_tty(int32_t device) { return static_cast<int32_t>(shown_terminal_device(static_cast<uint32_t>(device))); }

class Output {
 public:
  Output(char* data, size_t capacity) : data_(data), capacity_(capacity) {}

  void add(const char* text, size_t size) {
    if (size > capacity_ - size_) {
      full_ = true;
      return;
    }
    memcpy(data_ + size_, text, size);
    size_ += size;
  }
  void add_id(int32_t id) {
    plugin::Text<16> text;
    text.add(static_cast<int64_t>(id));
    add(text.text(), text.size());
  }
  [[nodiscard]] long result() const { return full_ ? -ENOSPC : static_cast<long>(size_); }

 private:
  char* data_;
  size_t capacity_;
  size_t size_ = 0;
  bool full_ = false;
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Copies up to `end`, each number translated.
void add_ids(Output* out, const char* text, const char* end, Translate translate) {
  while (text < end) {
    const char* at = text;
    while (at < end && !is_digit(*at)) ++at;
    bool negative = at > text && at[-1] == '-';
    out->add(text, static_cast<size_t>(at - text));
    int64_t number = 0;
    const char* digits = at;
    for (; at < end && is_digit(*at) && number <= INT32_MAX; ++at) number = number * 10 + (*at - '0');
    if (at > digits && !negative && number <= INT32_MAX) out->add_id(translate(static_cast<int32_t>(number)));
    else out->add(digits, static_cast<size_t>(at - digits));
    text = at;
  }
}

struct Field {
  const char* name;
  Translate translate;
};
constexpr Field status_fields[] = {
    {"Tgid:", shown_id},   {"Pid:", shown_id},       {"PPid:", shown_parent},  {"TracerPid:", shown_id},
    {"NStgid:", shown_id}, {"NSpid:", shown_id},     {"NSpgid:", shown_group}, {"NSsid:", shown_session},
};

void translate_status(const char* text, const char* end, Output* out) {
  while (text < end) {
    const char* line_end = static_cast<const char*>(memchr(text, '\n', static_cast<size_t>(end - text)));
    line_end = line_end != nullptr ? line_end + 1 : end;
    Translate translate = nullptr;
    for (const Field& field : status_fields) {
      size_t length = strlen(field.name);
      if (static_cast<size_t>(line_end - text) > length && memcmp(text, field.name, length) == 0) translate = field.translate;
    }
    if (translate != nullptr) add_ids(out, text, line_end, translate);
    else out->add(text, static_cast<size_t>(line_end - text));
    text = line_end;
  }
}

/// "ID (NAME) STATE PARENT GROUP SESSION TERMINAL FOREGROUND-GROUP …"; a name may hold any character, so its end is the last ')'.
void translate_stat(const char* text, const char* end, Output* out) {
  static constexpr Translate fields[] = {nullptr, shown_parent, shown_group, shown_session, shown_tty, shown_group};
  const char* name = static_cast<const char*>(memchr(text, '(', static_cast<size_t>(end - text)));
  const char* at = end;
  while (at > text && at[-1] != ')') --at;
  if (name == nullptr || at <= name) return out->add(text, static_cast<size_t>(end - text));
  add_ids(out, text, name, shown_id);
  out->add(name, static_cast<size_t>(at - name));
  for (Translate translate : fields) {
    const char* field = at;
    while (at < end && *at == ' ') ++at;
    while (at < end && *at != ' ') ++at;
    if (translate != nullptr) add_ids(out, field, at, translate);
    else out->add(field, static_cast<size_t>(at - field));
  }
  out->add(at, static_cast<size_t>(end - at));
}

const char* skip_slashes(const char* text) {
  while (*text == '/') ++text;
  return text;
}

/// What follows a component that is a number, or null.
const char* behind_number(const char* text) {
  const char* at = text;
  while (is_digit(*at)) ++at;
  return at != text && *at == '/' ? skip_slashes(at) : nullptr;
}

}  // namespace

ProcText proc_text_of(const char* path) {
  const char* rest;
  if (!plugin::begins(path, "/proc/", &rest)) return ProcText::none;
  const char* at = skip_slashes(rest);
  bool thread = false;
  if (plugin::begins(at, "self/", &rest)) at = skip_slashes(rest);
  else if (plugin::begins(at, "thread-self/", &rest)) at = skip_slashes(rest), thread = true;
  else if ((at = behind_number(at)) == nullptr) return ProcText::none;
  if (plugin::begins(at, "task/", &rest)) {
    if ((at = behind_number(skip_slashes(rest))) == nullptr) return ProcText::none;
    thread = true;
  }
  if (plugin::same(at, "status")) return ProcText::status;
  if (plugin::same(at, "stat")) return ProcText::stat;
  if (plugin::begins(at, "fdinfo/", &rest)) return ProcText::descriptor;
  return thread && plugin::same(at, "children") ? ProcText::children : ProcText::none;
}

long translate_proc_text(ProcText kind, const char* text, size_t size, char* out, size_t capacity) {
  Output output(out, capacity);
  if (kind == ProcText::status || kind == ProcText::descriptor) translate_status(text, text + size, &output);
  else if (kind == ProcText::stat) translate_stat(text, text + size, &output);
  else if (kind == ProcText::children) add_ids(&output, text, text + size, shown_id);
  else output.add(text, size);
  return output.result();
}

}  // namespace cairn::pid
