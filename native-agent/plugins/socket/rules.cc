// What becomes of connections that leave the computation: by the first pattern that fits the address of the peer, else by the option
// socket.outside; else a plugin may want them (outside.cc), or they are refused. [running, quiesced] Tests: test/probes/refusals.test.ts
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

/// * stands for any characters, ? for one.
bool fits(const char* pattern, const char* end, const char* text) {
  for (; pattern < end; ++pattern, ++text) {
    if (*pattern == '*') {
      for (const char* rest = text;; ++rest) {
        if (fits(pattern + 1, end, rest)) return true;
        if (*rest == 0) return false;
      }
    }
    if (*text == 0 || (*pattern != '?' && *pattern != *text)) return false;
  }
  return *text == 0;
}

}  // namespace

Leading rule_for(const Address& peer) {
  Text<512> address;
  add_address(&address, peer);
  static const struct {
    const char* word;
    Leading meaning;
  } kinds[] = {{"refuse ", Leading::refused}, {"close ", Leading::closed}, {"external ", Leading::external}};
  const char* rules = plugin::option(host, "connections");
  for (const char* line = rules; line != nullptr && *line != 0;) {
    const char* end = line;
    while (*end != 0 && *end != '\n') ++end;
    for (const auto& kind : kinds) {
      const char* pattern;
      if (plugin::begins(line, kind.word, &pattern) && fits(pattern, end, address.text())) return kind.meaning;
    }
    line = *end == 0 ? end : end + 1;
  }
  const char* outside = plugin::option(host, "socket.outside");
  if (outside != nullptr && plugin::same(outside, "close")) return Leading::closed;
  return outside != nullptr && plugin::same(outside, "external") ? Leading::external : Leading::unsaid;
}

}  // namespace cairn::sockets
