// Faults that tests ask for: STEP[@N]=refuse, die, forge or late:MS: once, at the N-th time (the first) that a client asks for checkout, renew,
// pause, return or status.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace licence {

enum class Deviation { none, refuse, die, forge, late };

struct Fault {
  uint32_t kind;
  unsigned countdown;  // 0: over
  Deviation deviation;
  uint64_t late_ms;
};

class Faults {
 public:
  /// False: it does not read so.
  bool add(const std::string& text);
  /// A client asks for this.
  Fault at(uint32_t kind);

 private:
  std::vector<Fault> faults_;
};

}  // namespace licence
