// What is asked of a plugin while the program runs (plugin.h, cairn_request), one request at a time: handed to the plugin, answered when the
// plugin has the answer, from whatever thread, and given up when that is late or something else comes in between.
// Words of state are the image's: a restarted or forked process has no request. Test: test/simulators/signals.test.ts.
#pragma once
#include <cairn/plugin.h>

#include "sys/text.h"
#include "wire/channel.h"

namespace cairn::agent {

class PluginRequests {
 public:
  static constexpr uint64_t largest_answer = 512 * 1024;

  /// [any thread] As host->answer. True in *wake: the agent's thread is to be woken.
  int32_t answer(int32_t error, const void* text, uint64_t size, bool* wake);

  // The rest: the agent's thread.
  /// [the thread that has answered] Until it has been sent, for a moment at most: the program may end by what it was asked to do.
  void await_sent();
  /// held: the threads are stopped.
  void take(wire::Channel* channel, uint64_t id, sys::Text body, bool held);
  /// Sends the answer that is there; gives up what is late. Gives in how many nanoseconds it is to be called again; 0: when woken.
  uint64_t look(wire::Channel* channel);
  /// An operation begins, or the coordinator is lost.
  void give_up(uint32_t reason, wire::Channel* channel);
  /// In a forked or restarted process, which nobody has asked anything.
  void reset();

 private:
  enum State : uint32_t { none, asked, answering, answered };

  uint32_t state_ = none;
  int32_t error_ = 0;
  const void* text_ = nullptr;
  uint64_t size_ = 0;
  uint64_t id_ = 0;
  uint64_t deadline_ns_ = 0;
  uint32_t number_ = 0;    // of the plugin
  bool given_up_ = false;  // the plugin knows
  bool unheard_ = false;   // nobody waits for the answer
};

}  // namespace cairn::agent
