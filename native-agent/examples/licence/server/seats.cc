#include "seats.h"

#include <sodium.h>
#include <time.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "../client/protocol.h"

namespace licence {
namespace {

/// What happens to leases is said on standard output, with the moment: whoever audits the vendor's customers wants to see it.
void note(const char* what, const Lease& lease, uint64_t other = 0) {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  std::printf("%lld%09ld %s %016" PRIx64, static_cast<long long>(now.tv_sec), now.tv_nsec, what, lease.id);
  if (other != 0) std::printf(" as %016" PRIx64, other);
  std::printf(": %s for %s on %s, session %s\n", lease.holder.feature.c_str(), lease.holder.who.c_str(), lease.holder.host.c_str(),
              lease.holder.session.c_str());
}

/// Who has a snapshot with an id in it could have any number; nobody can guess one.
uint64_t new_id() {
  uint64_t id = 0;
  while (id == 0) randombytes_buf(&id, sizeof id);
  return id;
}

Outcome unknown() { return {LIC_UNKNOWN, 0, "there is no such lease: it is over, or another run has it"}; }

}  // namespace

bool Seats::add_feature(const std::string& text) {
  const size_t first = text.find(':'), second = first == std::string::npos ? first : text.find(':', first + 1);
  if (first == 0 || second == std::string::npos) return false;
  const std::string by = text.substr(second + 1);
  Feature feature = {text.substr(0, first), static_cast<unsigned>(std::strtoul(text.c_str() + first + 1, nullptr, 10)), by == "host"};
  if (feature.seats < 1 || (by != "host" && by != "session") || this->feature(feature.name) != nullptr) return false;
  features_.push_back(feature);
  return true;
}

const Feature* Seats::feature(const std::string& name) const {
  auto found = std::find_if(features_.begin(), features_.end(), [&](const Feature& one) { return one.name == name; });
  return found == features_.end() ? nullptr : &*found;
}

const std::string& Seats::seat_of(const Holder& holder) const {
  const Feature* feature = this->feature(holder.feature);
  return feature != nullptr && feature->by_host ? holder.host : holder.session;
}

Usage Seats::usage(const Feature& feature) const {
  std::set<std::string> used, working;
  for (const Lease& lease : leases_) {
    if (lease.holder.feature != feature.name) continue;
    used.insert(seat_of(lease.holder));
    if (!lease.paused) working.insert(seat_of(lease.holder));
  }
  return {feature.seats, static_cast<unsigned>(used.size()), static_cast<unsigned>(used.size() - working.size())};
}

std::string Seats::describe(const Feature& feature) const {
  const Usage now = usage(feature);
  std::string text = std::to_string(now.used) + " of " + std::to_string(now.seats) + " seats of " + feature.name + " are in use, " +
                     std::to_string(now.kept) + " of them kept";
  const char* between = ": by ";
  for (const Lease& lease : leases_) {
    if (lease.holder.feature != feature.name) continue;
    text += between + lease.holder.who + " on " + lease.holder.host + (lease.paused ? ", kept" : "");
    between = "; ";
  }
  return text;
}

bool Seats::has_room(const Feature& feature, const Holder& holder, const Lease* moving) const {
  std::set<std::string> used = {seat_of(holder)};
  for (const Lease& lease : leases_) {
    const bool moves = moving != nullptr && goes_along(lease, *moving);
    if (!moves && lease.holder.feature == feature.name) used.insert(seat_of(lease.holder));
  }
  return used.size() <= feature.seats;
}

void Seats::end(Lease* lease, const char* how) {
  note(how, *lease);
  leases_.erase(leases_.begin() + (lease - leases_.data()));
}

Outcome Seats::check_out(const Holder& holder, uint64_t hold_ms, int connection, uint64_t now) {
  end_overdue(now);
  const Feature* wanted = feature(holder.feature);
  if (wanted == nullptr) return {LIC_REFUSED, 0, "there is no licence for " + holder.feature};
  if (!has_room(*wanted, holder, nullptr)) return {LIC_FULL, 0, "no seat is free: " + describe(*wanted)};
  Lease lease;
  lease.id = new_id();
  lease.holder = holder;
  lease.reserved = hold_ms > 0;
  lease.until = now + std::max(hold_ms, lease_ms_);
  lease.connection = connection;
  leases_.push_back(lease);
  note("granted", lease);
  return {LIC_GRANTED, lease.id, ""};
}

/// The lease of that id. Of one that is paused it is the one of whoever comes; else it is its session's.
Lease* Seats::find(uint64_t id, const Holder& holder) {
  for (Lease& lease : leases_) {
    const bool own = lease.holder.session == holder.session && lease.holder.host == holder.host;
    if (lease.holder.feature != holder.feature || id == 0) continue;
    if ((lease.id == id && (own || lease.paused)) || (lease.before == id && own)) return &lease;
  }
  return nullptr;
}

bool Seats::goes_along(const Lease& lease, const Lease& moving) {
  const Holder &one = lease.holder, &other = moving.holder;
  return lease.paused && one.feature == other.feature && one.session == other.session && one.host == other.host;
}

Outcome Seats::go_on(Lease* lease, const Holder& holder, uint64_t until, int connection, bool reserves) {
  const Feature* wanted = feature(holder.feature);
  // What was kept of its session comes along: it is all in one snapshot, and one seat. By host it may be another one's now.
  if (!has_room(*wanted, holder, lease)) return {LIC_FULL, 0, "no seat is free: " + describe(*wanted)};
  Lease after = *lease;
  after.before = lease->id;
  after.id = new_id();
  after.holder = holder;
  after.paused = false;
  after.reserved = reserves;
  after.kept_until = reserves ? lease->until : 0;
  after.until = until;
  after.connection = connection;
  note("resumed", *lease, after.id);
  const Lease before = *lease;
  for (Lease& other : leases_) {
    if (!goes_along(other, before)) continue;
    other.holder.session = holder.session;
    other.holder.host = holder.host;
  }
  *lease = after;
  return {LIC_GRANTED, after.id, ""};
}

Outcome Seats::renew(uint64_t id, const Holder& holder, uint64_t hold_ms, int connection, uint64_t now) {
  end_overdue(now);
  Lease* lease = find(id, holder);
  if (lease == nullptr) return unknown();
  const uint64_t until = now + std::max(hold_ms, lease_ms_);
  if (lease->paused) return go_on(lease, holder, until, connection, hold_ms > 0);
  lease->reserved = lease->reserved && hold_ms > 0;
  lease->until = until;
  lease->connection = connection;
  return {LIC_GRANTED, lease->id, ""};
}

Outcome Seats::pause(uint64_t id, const Holder& holder, uint64_t hold_ms, uint64_t now) {
  end_overdue(now);
  Lease* lease = find(id, holder);
  if (lease == nullptr) return unknown();
  if (!lease->paused) note("paused", *lease);
  lease->paused = true;
  lease->until = now + std::max(hold_ms, lease_ms_);
  return {LIC_GRANTED, lease->id, ""};
}

Outcome Seats::give_back(uint64_t id, const Holder& holder, uint64_t now) {
  end_overdue(now);
  Lease* lease = find(id, holder);
  if (lease == nullptr) return unknown();
  end(lease, "returned");
  return {LIC_GRANTED, 0, ""};
}

void Seats::withdraw(Lease* lease) {
  if (lease->kept_until == 0) return end(lease, "returned");
  note("paused", *lease);
  // Who comes with the snapshot the next time finds it as it was.
  lease->id = lease->before;
  lease->before = 0;
  lease->paused = true;
  lease->reserved = false;
  lease->until = lease->kept_until;
}

void Seats::closed(int connection, uint64_t now) {
  for (size_t i = leases_.size(); i-- > 0;) {
    Lease& lease = leases_[i];
    if (lease.connection != connection) continue;
    lease.connection = -1;
    if (lease.reserved) withdraw(&lease);
    // Its holder may be alive, and rely on it until its time is over. One that is paused is a snapshot's.
    else if (!lease.paused) lease.until = std::min(lease.until, now + lease_ms_);
  }
}

void Seats::end_overdue(uint64_t now) {
  for (size_t i = leases_.size(); i-- > 0;) {
    if (leases_[i].until <= now) end(&leases_[i], "timed-out");
  }
}

uint64_t Seats::next_end() const {
  uint64_t next = UINT64_MAX;
  for (const Lease& lease : leases_) next = std::min(next, lease.until);
  return next;
}

}  // namespace licence
