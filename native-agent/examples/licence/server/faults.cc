#include "faults.h"

#include <cstdlib>
#include <map>

#include "../client/protocol.h"

namespace licence {

bool Faults::add(const std::string& text) {
  static const std::map<std::string, uint32_t> steps = {
      {"checkout", LIC_CHECKOUT}, {"renew", LIC_RENEW}, {"pause", LIC_PAUSE}, {"return", LIC_RETURN}, {"status", LIC_STATUS}};
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return false;
  std::string step = text.substr(0, equals);
  const std::string what = text.substr(equals + 1);
  Fault fault = {0, 1, Deviation::none, 0};
  if (const size_t at = step.find('@'); at != std::string::npos) {
    fault.countdown = static_cast<unsigned>(std::strtoul(step.c_str() + at + 1, nullptr, 10));
    step.resize(at);
  }
  const auto found = steps.find(step);
  if (found == steps.end() || fault.countdown == 0) return false;
  fault.kind = found->second;
  if (what == "refuse") fault.deviation = Deviation::refuse;
  else if (what == "die") fault.deviation = Deviation::die;
  else if (what == "forge") fault.deviation = Deviation::forge;
  else if (what.rfind("late:", 0) == 0) fault.deviation = Deviation::late;
  if (fault.deviation == Deviation::late) fault.late_ms = std::strtoull(what.c_str() + 5, nullptr, 10);
  faults_.push_back(fault);
  return fault.deviation != Deviation::none;
}

Fault Faults::at(uint32_t kind) {
  for (Fault& fault : faults_) {
    if (fault.kind == kind && fault.countdown > 0 && --fault.countdown == 0) return fault;
  }
  return {kind, 0, Deviation::none, 0};
}

}  // namespace licence
