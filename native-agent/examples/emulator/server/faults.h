// Faults that tests ask for: STEP[@N]=refuse, STEP[@N]=die, STEP[@N]=late:MS: once, at the N-th time (the first) that a client asks for
// attach, reset, load, quiesce, save or release.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace emulator {

enum class Deviation { none, refuse, die, late };

struct Fault {
  uint16_t kind;
  unsigned countdown;  // 0: over
  Deviation deviation;
  uint64_t late_ms;
};

class Faults {
 public:
  /// False: it does not read so.
  bool add(const std::string& text);
  /// A client asks for this.
  Fault at(uint16_t kind);

 private:
  std::vector<Fault> faults_;
};

}  // namespace emulator
