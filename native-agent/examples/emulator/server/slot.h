// A run slot: the design in it, the ports of whoever has it, and in which order what they ask for happens (client/protocol.h). All
// answers follow from what each port has asked for, so that a state that was saved leads on in the same way wherever it is loaded.
#pragma once
#include <deque>
#include <string>
#include <vector>

#include "../client/protocol.h"
#include "design.h"

namespace emulator {

class Slot {
 public:
  /// Power-on, for this many ports.
  void reset(unsigned ports);
  bool ready() const { return !ports_.empty(); }
  /// Nobody's design: what comes next has to be a reset or a load.
  void clear() { ports_.clear(); }

  /// A transaction has come. Empty, or why it cannot be.
  std::string request(const emu_message& message);

  /// Does up to about `cycles` of work, and adds what has an answer to `answers`. True: there is more to do now.
  bool work(uint64_t cycles, std::vector<emu_message>* answers);

  /// The clock stops; what was not done is forgotten.
  void quiesce();
  bool quiet() const { return quiet_; }
  void go() { quiet_ = false; }

  /// Empty, or why not. Names: see valid_name.
  std::string save(const std::string& store, const std::string& name) const;
  std::string load(const std::string& store, const std::string& name);
  static bool valid_name(const std::string& name);

  uint64_t cycle() const { return design_.cycle(); }

 private:
  struct Port {
    bool open = true;
    uint64_t time = 0;      // the cycle up to which it lets the clock go
    uint64_t running = 0;   // cycles of its EMU_RUN that has no answer yet; 0: none
    uint64_t done = 0;      // transactions with answers
    std::deque<emu_message> queue;
  };

  Port* next();
  bool execute(Port* port, uint64_t* value);
  void answer(Port* port, uint64_t value, std::vector<emu_message>* answers);
  std::string describe() const;

  Design design_;
  std::vector<Port> ports_;
  bool quiet_ = false;
};

}  // namespace emulator
