#include "events/builtin.h"

extern "C" {
extern const struct cairn_plugin cairn_plugin_pid;
extern const struct cairn_plugin cairn_plugin_path;
extern const struct cairn_plugin cairn_plugin_env;
extern const struct cairn_plugin cairn_plugin_clock;
extern const struct cairn_plugin cairn_plugin_process;
extern const struct cairn_plugin cairn_plugin_exec;
extern const struct cairn_plugin cairn_plugin_socket;
extern const struct cairn_plugin cairn_plugin_pty;
extern const struct cairn_plugin cairn_plugin_descriptor;
extern const struct cairn_plugin cairn_plugin_pending;
extern const struct cairn_plugin cairn_plugin_passed;
extern const struct cairn_plugin cairn_plugin_memory;
extern const struct cairn_plugin cairn_plugin_memfd;
extern const struct cairn_plugin cairn_plugin_sysv;
extern const struct cairn_plugin cairn_plugin_pipe;
extern const struct cairn_plugin cairn_plugin_event;
extern const struct cairn_plugin cairn_plugin_uring;
extern const struct cairn_plugin cairn_plugin_mqueue;
extern const struct cairn_plugin cairn_plugin_mutex;
extern const struct cairn_plugin cairn_plugin_file;
extern const struct cairn_plugin cairn_plugin_terminal;
extern const struct cairn_plugin cairn_plugin_signal;
extern const struct cairn_plugin cairn_plugin_timer;
extern const struct cairn_plugin cairn_plugin_external;
extern const struct cairn_plugin cairn_plugin_hdl;
}

namespace cairn::events {

const cairn_plugin* const* builtin_plugins() {
  // At restart events and barriers go up: ids and paths first, since the others translate by them; clocks before
  // what waits by them; sockets and pseudo-terminals,
  // which are made before descriptors are given out; files before the process's limits, which could forbid opening them; timers last, so
  // that none fires early.
  static const cairn_plugin* const plugins[] = {
      &cairn_plugin_pid,
      &cairn_plugin_path,
      &cairn_plugin_env,
      &cairn_plugin_clock,
      &cairn_plugin_exec,
      &cairn_plugin_socket,
      &cairn_plugin_pty,
      &cairn_plugin_descriptor,
      &cairn_plugin_pending,
      &cairn_plugin_passed,
      &cairn_plugin_memory,
      &cairn_plugin_memfd,
      &cairn_plugin_sysv,
      &cairn_plugin_pipe,
      &cairn_plugin_file,
      &cairn_plugin_event,
      &cairn_plugin_uring, &cairn_plugin_mqueue,
      &cairn_plugin_mutex,
      &cairn_plugin_process,
      &cairn_plugin_terminal,
      &cairn_plugin_signal,
      &cairn_plugin_timer,
      // Before the others are asked, what a plugin has marked.
      &cairn_plugin_external,
      // Saves nothing.
      &cairn_plugin_hdl,
      nullptr,
  };
  return plugins;
}

}  // namespace cairn::events
