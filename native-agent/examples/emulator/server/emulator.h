// The emulator: its run slots, who has them, and what clients ask for. One thread: sockets, clocks and latencies in one loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "connection.h"
#include "faults.h"
#include "slot.h"

namespace emulator {

struct Options {
  std::string address = "127.0.0.1";
  unsigned port = 0;
  unsigned slots = 2;
  std::string store = ".";
  Microseconds latency = 200;  // of an answer, and up to as much again
  Milliseconds save_time = 20;
  Milliseconds load_time = 50;
  Faults faults;
};

class Emulator {
 public:
  Emulator(Options options, int listening);
  [[noreturn]] void run();

 private:
  struct Place {
    Slot slot;
    Connection* owner = nullptr;
    uint64_t key = 0;
    Microseconds reserved_until = 0;
    std::string who;
  };

  void wait(bool busy);
  void accept_client();
  void handle(Connection* connection, const emu_message& message, const std::string& text);
  void attach(Connection* connection, const emu_message& message, const std::string& text, Microseconds due);
  void control(Connection* connection, const emu_message& message, const std::string& text, Microseconds due);
  void reply(Connection* connection, const emu_message& asked, uint16_t kind, uint64_t value, Microseconds due);
  void refuse(Connection* connection, const emu_message& asked, const std::string& why, Microseconds due, bool for_now = false);
  bool work();
  void leave(Connection* connection);
  Microseconds latency();

  Options options_;
  int listening_;
  std::vector<std::unique_ptr<Place>> places_;
  std::vector<std::unique_ptr<Connection>> connections_;
  uint64_t random_ = 88172645463325252u;
};

}  // namespace emulator
