#include "restore/options.h"

#include <string.h>

#include "restore/report.h"

namespace cairn::restore {
namespace {

using sys::Text;

const char* copy_option(Options* options, size_t* used, const char* text) {
  size_t size = strlen(text) + 1;
  if (*used + size > sizeof options->texts) give_up("the arguments are too long");
  char* copy = options->texts + *used;
  memcpy(copy, text, size);
  *used += size;
  return copy;
}

/// VIRTUAL=REAL of a child that has ended.
void add_ended(Options* options, const char* value) {
  sys::TextReader reader{Text(value)};
  Text first = reader.until('=');
  if (options->ended_count == max_ended) give_up("the arguments are too long");
  options->ended[options->ended_count++] = {number_of(first), number_of(reader.rest())};
}

}  // namespace

int32_t number_of(Text text) {
  uint64_t number = 0;
  if (!sys::TextReader(text).number(&number) || number > INT32_MAX) give_up("a number in the arguments is none");
  return static_cast<int32_t>(number);
}

void parse_options(int count, char** words, Options* options) {
  size_t used = 0;
  for (int i = 1; i < count; i += 2) {
    Text name(words[i]);
    if (i + 1 == count) give_up("the last argument lacks its value; usage: --folder F --socket S");
    const char* value = copy_option(options, &used, words[i + 1]);
    if (name == Text("--folder")) options->folder = value;
    else if (name == Text("--socket")) options->socket = value;
    else if (name == Text("--list")) options->list = value;
    else if (name == Text("--error-file")) report_to(value);
    else if (name == Text("--process")) options->process = number_of(value);
    else if (name == Text("--resident")) options->control = number_of(value);
    else if (name == Text("--ended")) add_ended(options, value);
    else if (name == Text("--path")) {
      auto* separator = static_cast<char*>(memchr(const_cast<char*>(value), '=', strlen(value)));
      if (separator == nullptr || options->rule_count == max_rules) give_up("--path takes FROM=TO");
      *separator = 0;
      options->rules[options->rule_count++] = {value, separator + 1};
    } else {
      sys::TextBuffer<256> text;
      text.add("unknown argument ").add(name);
      give_up(text.text());
    }
  }
  if (options->list == nullptr) options->list = copy_option(options, &used, "processes");
  if (options->folder == nullptr || (options->socket == nullptr && options->control < 0)) {
    give_up("usage: cairn-restore --folder SNAPSHOT --socket AGENT_SOCKET");
  }
}

void Options::moved_from(const Options& other) {
  uint64_t moved = reinterpret_cast<uintptr_t>(this) - reinterpret_cast<uintptr_t>(&other);
  auto move = [moved](const char*& text) {
    if (text != nullptr) text = reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(text) + moved);
  };
  move(folder);
  move(list);
  move(socket);
  for (uint32_t i = 0; i < rule_count; ++i) {
    move(rules[i].from);
    move(rules[i].to);
  }
}

}  // namespace cairn::restore
