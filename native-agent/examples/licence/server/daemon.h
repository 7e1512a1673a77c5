// The licence daemon: one thread that waits for requests, answers them by what `seats` says, and signs.
#pragma once
#include <map>
#include <vector>

#include "faults.h"
#include "key.h"
#include "seats.h"

namespace licence {

struct Connection {
  lic_request request;
  size_t had = 0;  // bytes of it
};

/// An answer, and when it is to go.
struct Answer {
  int connection;
  uint64_t due;  // in ms
  lic_answer message;
};

class Daemon {
 public:
  Daemon(Seats seats, Key key, Faults faults, int listening)
      : seats_(std::move(seats)), key_(key), faults_(std::move(faults)), listening_(listening) {}
  /// Until the program is ended.
  [[noreturn]] void run();

 private:
  void accept_one();
  void read_from(int fd);
  void answer(int fd, const lic_request& request);
  Outcome decide(int fd, const lic_request& request, lic_answer* answer);
  void send_due();
  void close_connection(int fd);
  int time_to_wait() const;

  Seats seats_;
  Key key_;
  Faults faults_;
  int listening_;
  std::map<int, Connection> connections_;
  std::vector<Answer> answers_;
};

}  // namespace licence
