#include "slot.h"

#include <algorithm>

namespace emulator {

void Slot::reset(unsigned ports) {
  design_.reset();
  ports_.assign(ports, Port());
  quiet_ = false;
}

std::string Slot::request(const emu_message& message) {
  if (quiet_) return "a transaction came while the clock was stopped";
  if (message.port >= ports_.size()) return "there is no port " + std::to_string(message.port);
  Port& port = ports_[message.port];
  const uint64_t expected = port.done + (port.running > 0 ? 1 : 0) + port.queue.size();
  if (message.number != expected) {
    return "transaction " + std::to_string(message.number) + " of port " + std::to_string(message.port) + " came, where " +
           std::to_string(expected) + " is next";
  }
  const auto operation = message.argument >> 32;
  const auto cycles = static_cast<uint32_t>(message.argument);
  if (operation < EMU_RUN || operation > EMU_CLOSE) return "there is no operation " + std::to_string(operation);
  if (operation == EMU_RUN && (cycles == 0 || cycles > EMU_MOST_CYCLES)) return "a run of " + std::to_string(cycles) + " cycles";
  if (!port.open || (!port.queue.empty() && port.queue.back().argument >> 32 == EMU_CLOSE)) return "that port is closed";
  if (port.queue.size() >= 100000) return "too much waits to be done";
  port.queue.push_back(message);
  return "";
}

/// The port that is to be served before all others, whether it has asked for something or not.
Slot::Port* Slot::next() {
  Port* first = nullptr;
  for (Port& port : ports_) {
    if (port.open && (first == nullptr || port.time < first->time)) first = &port;
  }
  return first;
}

void Slot::answer(Port* port, uint64_t value, std::vector<emu_message>* answers) {
  emu_message message = {};
  message.kind = EMU_RESPONSE;
  message.port = static_cast<uint16_t>(port - ports_.data());
  message.number = port->done++;
  message.value = value;
  answers->push_back(message);
}

/// False: the answer comes later.
bool Slot::execute(Port* port, uint64_t* value) {
  const emu_message message = port->queue.front();
  port->queue.pop_front();
  const auto low = static_cast<uint32_t>(message.argument);
  switch (message.argument >> 32) {
    case EMU_RUN:
      port->running = low;
      port->time += low;
      return false;
    case EMU_READ: *value = design_.read(low); return true;
    case EMU_WRITE: *value = design_.write(low, static_cast<uint32_t>(message.value)); return true;
    case EMU_CONSOLE: *value = design_.console(); return true;
    default:
      port->open = false;
      *value = design_.cycle();
      return true;
  }
}

bool Slot::work(uint64_t cycles, std::vector<emu_message>* answers) {
  for (uint64_t budget = cycles; !quiet_;) {
    Port* port = next();
    if (port == nullptr) return false;
    if (design_.cycle() < port->time) {
      if (budget == 0) return true;
      const uint64_t now = std::min(budget, port->time - design_.cycle());
      design_.run(now);
      budget -= now;
    } else if (port->running > 0) {
      port->running = 0;
      answer(port, design_.position(), answers);
    } else if (port->queue.empty()) {
      return false;
    } else if (uint64_t value = 0; execute(port, &value)) {
      answer(port, value, answers);
    }
  }
  return false;
}

void Slot::quiesce() {
  quiet_ = true;
  for (Port& port : ports_) {
    port.queue.clear();
    // Asked for again, it grants the same.
    port.time -= port.running;
    port.running = 0;
  }
}

}  // namespace emulator
