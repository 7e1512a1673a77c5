// Who has which seat: leases, by time, and nothing of connections' bytes. A lease belongs to a host and a session; all leases of one host (or
// session, as the feature counts) are one seat.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace licence {

struct Feature {
  std::string name;
  unsigned seats = 1;
  bool by_host = false;
};

/// Who asks, and for what.
struct Holder {
  std::string feature, host, session, who;
};

struct Lease {
  uint64_t id = 0;
  uint64_t before = 0;  // its id until the last pause was over: who did not get the answer asks by that
  Holder holder;
  bool paused = false;
  bool reserved = false;  // nobody has begun to work under it
  uint64_t kept_until = 0;  // where a lease that was paused is reserved: until when it was to be kept
  uint64_t until = 0;   // in ms: no heartbeat by then, and it is over
  int connection = -1;  // by which it was asked for last; -1: that is closed
};

struct Usage {
  unsigned seats = 0, used = 0, kept = 0;  // of the used ones those with which nobody works
};

/// What became of a request: an enum lic_result, the lease's id, and why in words.
struct Outcome {
  uint32_t result;
  uint64_t lease;
  std::string why;
};

class Seats {
 public:
  explicit Seats(uint64_t lease_ms) : lease_ms_(lease_ms) {}

  /// "NAME:SEATS:session" or "NAME:SEATS:host". False: it does not read so.
  bool add_feature(const std::string& text);

  /// `now` in ms. Each of them ends first what is over by then.
  Outcome check_out(const Holder& holder, uint64_t hold_ms, int connection, uint64_t now);
  Outcome renew(uint64_t id, const Holder& holder, uint64_t hold_ms, int connection, uint64_t now);
  Outcome pause(uint64_t id, const Holder& holder, uint64_t hold_ms, uint64_t now);
  Outcome give_back(uint64_t id, const Holder& holder, uint64_t now);

  /// Nobody is there any more who would send heartbeats.
  void closed(int connection, uint64_t now);
  void end_overdue(uint64_t now);
  /// When the next lease is over; UINT64_MAX: none is.
  uint64_t next_end() const;

  const Feature* feature(const std::string& name) const;
  Usage usage(const Feature& feature) const;
  /// "1 of 2 seats of sim are in use, 1 of them kept: by process 17 on here, kept"
  std::string describe(const Feature& feature) const;
  uint64_t lease_ms() const { return lease_ms_; }

 private:
  Lease* find(uint64_t id, const Holder& holder);
  const std::string& seat_of(const Holder& holder) const;
  /// Whether there is a seat, where what goes along with `moving` is the holder's then.
  bool has_room(const Feature& feature, const Holder& holder, const Lease* moving) const;
  static bool goes_along(const Lease& lease, const Lease& moving);
  void end(Lease* lease, const char* how);
  Outcome go_on(Lease* lease, const Holder& holder, uint64_t until, int connection, bool reserves);
  void withdraw(Lease* lease);

  uint64_t lease_ms_;
  std::vector<Feature> features_;
  std::vector<Lease> leases_;
};

}  // namespace licence
