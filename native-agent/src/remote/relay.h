// The standard input, output and error of a program on another host, over one connection between the two cairn-remote: frames of a kind, a
// length and bytes. All processes and connections of it are in the computation, so it goes on after a restart like anything else.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace cairn::remote {

enum Kind : uint32_t { input = 1, output, error, ended };

/// Where the program is: its pipes, and its process. Returns when it has ended, or the other side is gone: then it gets SIGHUP.
int relay_program(int connection, int to_program, int from_program, int errors_of_program, int program);
/// Where it was started: 0, 1 and 2. Returns the program's status as a shell gives it; 255: the connection broke.
int relay_terminal(int connection);

}  // namespace cairn::remote
