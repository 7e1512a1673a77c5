#include "emulator.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <utility>

namespace emulator {
namespace {

constexpr size_t most_connections = 64;
constexpr uint64_t cycles_at_a_time = 20'000;
constexpr Milliseconds longest_reservation = 600'000;
constexpr int killed_by_fault = 3;

std::string printable(std::string text) {
  for (char& c : text) {
    if (std::isprint(static_cast<unsigned char>(c)) == 0) c = '?';
  }
  return text;
}

uint64_t new_key() {
  uint64_t key = 0;
  while (key == 0) {
    if (getrandom(&key, sizeof key, 0) < 0) key = now_us();
  }
  return key;
}

}  // namespace

Emulator::Emulator(Options options, int listening) : options_(std::move(options)), listening_(listening) {
  for (unsigned i = 0; i < options_.slots; ++i) places_.push_back(std::make_unique<Place>());
}

/// Of an answer: at least the option's, at most twice that.
Microseconds Emulator::latency() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return options_.latency + (options_.latency > 0 ? random_ % options_.latency : 0);
}

void Emulator::run() {
  for (bool busy = false;; busy = work()) wait(busy);
}

void Emulator::wait(bool busy) {
  std::vector<pollfd> wanted = {{listening_, POLLIN, 0}};
  Microseconds due = ~Microseconds{0};
  const Microseconds before = now_us();
  for (const auto& connection : connections_) {
    wanted.push_back({connection->fd(), static_cast<short>(connection->full() ? POLLIN | POLLOUT : POLLIN), 0});
    if (!connection->full()) due = std::min(due, connection->due());
  }
  timespec rest = {};
  if (!busy && due > before) {
    rest = {static_cast<time_t>((due - before) / 1'000'000), static_cast<long>((due - before) % 1'000'000 * 1000)};
  }
  const bool forever = !busy && due == ~Microseconds{0};
  ppoll(wanted.data(), wanted.size(), forever ? nullptr : &rest, nullptr);
  for (size_t i = 0; i + 1 < wanted.size(); ++i) {
    Connection* connection = connections_[i].get();
    if ((wanted[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) connection->read();
    emu_message message;
    std::string text;
    while (connection->next(&message, &text)) handle(connection, message, text);
    connection->write(now_us());
    if (connection->over()) leave(connection);
  }
  connections_.erase(std::remove_if(connections_.begin(), connections_.end(), [](const auto& one) { return one->over(); }),
                     connections_.end());
  if ((wanted[0].revents & POLLIN) != 0) accept_client();
}

void Emulator::accept_client() {
  const int fd = accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connections_.size() < most_connections) connections_.push_back(std::make_unique<Connection>(fd));
  else close(fd);
}

void Emulator::leave(Connection* connection) {
  if (connection->slot < 0) return;
  Place& place = *places_[static_cast<size_t>(connection->slot)];
  if (place.owner == connection) place.owner = nullptr;
  connection->slot = -1;
}

void Emulator::reply(Connection* connection, const emu_message& asked, uint16_t kind, uint64_t value, Microseconds due) {
  emu_message message = {};
  message.number = asked.number;
  message.kind = kind;
  message.value = value;
  connection->add(message, "", due);
}

void Emulator::refuse(Connection* connection, const emu_message& asked, const std::string& why, Microseconds due, bool for_now) {
  std::printf("refused: %s\n", printable(why).c_str());
  emu_message message = {};
  message.kind = EMU_REFUSED;
  message.argument = asked.kind;
  message.number = asked.number;
  message.value = for_now ? 1 : 0;
  connection->add(message, why, due);
}

void Emulator::handle(Connection* connection, const emu_message& message, const std::string& text) {
  if (message.kind == EMU_REQUEST) {
    const std::string why = connection->slot < 0 ? "a transaction without a slot" : places_[static_cast<size_t>(connection->slot)]->slot.request(message);
    if (why.empty()) return;
    refuse(connection, message, why, now_us());
    connection->write(now_us());
    connection->end();
    return;
  }
  const Fault fault = options_.faults.at(message.kind);
  Microseconds due = now_us() + latency() + fault.late_ms * 1000;
  if (fault.deviation == Deviation::die) _exit(killed_by_fault);
  if (fault.deviation == Deviation::refuse) return refuse(connection, message, "not now: a fault that was asked for", due);
  if (message.kind == EMU_ATTACH) attach(connection, message, text, due);
  else if (connection->slot < 0) refuse(connection, message, "it has no slot", due);
  else control(connection, message, text, due);
}

void Emulator::attach(Connection* connection, const emu_message& message, const std::string& text, Microseconds due) {
  const Microseconds now = now_us();
  if (message.number != EMU_VERSION) return refuse(connection, message, "another version of the protocol", due);
  if (connection->slot >= 0) return refuse(connection, message, "this connection has a slot", due);
  const std::string name = "slot " + std::to_string(message.argument);
  if (message.argument >= places_.size()) return refuse(connection, message, "there is no " + name, due);
  Place& place = *places_[message.argument];
  if (place.owner != nullptr) return refuse(connection, message, name + " is in use by " + place.who, due);
  if (place.reserved_until > now && message.value != place.key) {
    return refuse(connection, message, name + " is reserved for " + place.who, due, true);
  }
  connection->slot = static_cast<int>(message.argument);
  place.owner = connection;
  place.key = new_key();
  place.reserved_until = 0;
  place.who = printable(text);
  place.slot.clear();
  std::printf("%s: attached by %s\n", name.c_str(), place.who.c_str());
  reply(connection, message, EMU_ATTACHED, place.key, due);
}

void Emulator::control(Connection* connection, const emu_message& message, const std::string& text, Microseconds due) {
  Place& place = *places_[static_cast<size_t>(connection->slot)];
  Slot& slot = place.slot;
  const int number = connection->slot;
  switch (message.kind) {
    case EMU_RESET:
      if (message.argument < 1 || message.argument > EMU_PORTS) return refuse(connection, message, "so many ports", due);
      slot.reset(static_cast<unsigned>(message.argument));
      return reply(connection, message, EMU_READY, 0, due + options_.load_time * 1000);
    case EMU_LOAD: {
      const std::string why = Slot::valid_name(text) ? slot.load(options_.store, text) : "that is no name for a state";
      if (!why.empty()) return refuse(connection, message, why, due);
      std::printf("slot %d: loads %s, cycle %llu\n", number, text.c_str(), static_cast<unsigned long long>(slot.cycle()));
      return reply(connection, message, EMU_READY, 0, due + options_.load_time * 1000);
    }
    case EMU_QUIESCE:
      slot.quiesce();
      return reply(connection, message, EMU_QUIESCED, 0, due);
    case EMU_SAVE: {
      std::string why = Slot::valid_name(text) ? "" : "that is no name for a state";
      if (why.empty() && (!slot.ready() || !slot.quiet())) why = "the clock is not stopped";
      if (why.empty()) why = slot.save(options_.store, text);
      if (!why.empty()) return refuse(connection, message, why, due);
      std::printf("slot %d: saved %s, cycle %llu\n", number, text.c_str(), static_cast<unsigned long long>(slot.cycle()));
      return reply(connection, message, EMU_SAVED, 0, due + options_.save_time * 1000);
    }
    case EMU_GO: slot.go(); return;
    case EMU_RELEASE:
      place.owner = nullptr;
      place.reserved_until = now_us() + std::min<Milliseconds>(message.argument, longest_reservation) * 1000;
      connection->slot = -1;
      std::printf("slot %d: released\n", number);
      return reply(connection, message, EMU_RELEASED, 0, due);
    default: refuse(connection, message, "it does not know that message", due); connection->end();
  }
}

/// Lets the clocks run for a while. True: there is more to do.
bool Emulator::work() {
  bool busy = false;
  std::vector<emu_message> answers;
  for (const auto& place : places_) {
    if (place->owner == nullptr || !place->slot.ready()) continue;
    answers.clear();
    if (place->slot.work(cycles_at_a_time, &answers)) busy = true;
    const Microseconds now = now_us();
    for (const emu_message& answer : answers) place->owner->add(answer, "", now + latency());
  }
  return busy;
}

}  // namespace emulator
