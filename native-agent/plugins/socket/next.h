// How this plugin interposes on libc: CAIRN_WRAP defines the function that precedes libc's, Next finds libc's. [any]
#pragma once
#include "common/next.h"
#include "socket/socket.h"

namespace cairn::sockets {

template <typename Function>
using Next = plugin::Next<host, Function>;

}  // namespace cairn::sockets

// By the assembler's name: libc's declarations differ in attributes and in types of pointers.
#define CAIRN_WRAP(result, name, ...)                                                              \
  extern "C" CAIRN_EXPORT result cairn_socket_##name(__VA_ARGS__) __asm__(#name);                   \
  extern "C" result cairn_socket_##name(__VA_ARGS__)
