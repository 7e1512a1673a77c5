// Fields of /proc/PID/stat, by their numbers in proc(5). Context: any.
#pragma once
#include "sys/file.h"

namespace cairn::sys {

/// A field behind the program's name (from 4 on), which may hold any character; 0: it cannot be read.
inline uint64_t stat_field(const char* path, unsigned field) {
  char line[1024];
  long size = read_all(path, line, sizeof line);
  size_t name_end = size > 0 ? static_cast<size_t>(size) : 0;
  while (name_end > 0 && line[name_end - 1] != ')') --name_end;
  TextReader reader(Text(line, size > 0 ? static_cast<size_t>(size) : 0).from(name_end + 1));
  for (unsigned at = 3; at < field; ++at) reader.until(' ');
  uint64_t value = 0;
  reader.number(&value);
  return value;
}

inline constexpr unsigned stat_parent = 4;
inline constexpr unsigned stat_terminal = 7;  // tty_nr
inline constexpr unsigned stat_start_time = 22;
inline constexpr unsigned stat_exit_code = 52;  // as wait(2) gives it

}  // namespace cairn::sys
