// Hello, settings, plugins, Ready: see agent.proto. Context: the constructor or the agent's thread.
#pragma once
#include "agent/agent.h"

namespace cairn::agent {

class Handshake {
 public:
  explicit Handshake(Agent* agent) : agent_(agent) {}
  enum Occasion { launched, forked, restarted, reconnected };
  /// [the forking thread, in a new process] What Hello tells of the process and has to be read from files.
  static void look_after_fork();
  /// On a fresh connection. False: refused or broken, the error says why.
  bool run(Occasion occasion, sys::Error* error);
  /// Those that there are now, and Ready.
  bool describe_plugins(sys::Error* error);

 private:
  bool say_hello(Occasion occasion, sys::Error* error);
  bool take_settings(Occasion occasion, sys::Error* error);
  void change_live(sys::Text library, sys::Text settings);
  bool load_plugins(Occasion occasion, sys::Error* error);

  Agent* agent_;
};

}  // namespace cairn::agent
