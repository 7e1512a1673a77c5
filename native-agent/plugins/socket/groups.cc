// Groups of multicast that sockets have joined, and the interface that they send to them by: the kernel tells neither of one socket, so
// they are noted when they are set, by the socket's cookie. What a program of before exec, or before cairn attach, has joined is not known.
// [any] noting, lock-free; [restoring] joining again. Test: test/probes/sockets/multicast.c
#include <netinet/in.h>

#include "common/limited.h"
#include "socket/next.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

namespace cairn::sockets {
namespace {

Next<int(int, int, int, const void*, uint32_t)> next_setsockopt = {"setsockopt", nullptr};

/// One call that is in force.
struct Membership {
  uint64_t cookie;     // 0: none, or taken back
  int32_t level;
  int32_t name;
  uint32_t size;
  uint32_t state;      // 0: free; 1: being written; 2: complete
  bool joined_again;   // in this restart
  alignas(8) char bytes[sizeof(struct group_source_req)];
};
constexpr uint32_t capacity = 512;
Membership table[capacity];
uint32_t used = 0;  // never falls

/// The call that takes back what this one does; 0: there is none; -1: it is no call of this kind.
int32_t opposite(int32_t level, int32_t name) {
  if (level == IPPROTO_IP) {
    switch (name) {
      case IP_ADD_MEMBERSHIP: return IP_DROP_MEMBERSHIP;
      case IP_ADD_SOURCE_MEMBERSHIP: return IP_DROP_SOURCE_MEMBERSHIP;
      case IP_BLOCK_SOURCE: return IP_UNBLOCK_SOURCE;
      case IP_MULTICAST_IF: return 0;
      default: break;
    }
  } else if (level == IPPROTO_IPV6) {
    if (name == IPV6_ADD_MEMBERSHIP) return IPV6_DROP_MEMBERSHIP;
  } else {
    return -1;
  }
  switch (name) {
    case MCAST_JOIN_GROUP: return MCAST_LEAVE_GROUP;
    case MCAST_JOIN_SOURCE_GROUP: return MCAST_LEAVE_SOURCE_GROUP;
    case MCAST_BLOCK_SOURCE: return MCAST_UNBLOCK_SOURCE;
    default: return -1;
  }
}

bool has(const Membership& one, uint64_t cookie, int32_t level) {
  return __atomic_load_n(&one.state, __ATOMIC_ACQUIRE) == 2 && one.cookie == cookie && one.level == level;
}

/// The group of IPv4 and IPv6 comes first in the older structures, behind the interface in the newer ones.
bool same_group(const Membership& one, const char* bytes, uint32_t size) {
  uint32_t shorter = one.size < size ? one.size : size;
  uint32_t from = 0, to = 4;
  if (one.level == IPPROTO_IPV6) to = 16;
  if (one.name == MCAST_JOIN_GROUP || one.name == MCAST_JOIN_SOURCE_GROUP || one.name == MCAST_BLOCK_SOURCE) to = shorter;
  for (uint32_t i = from; i < to && i < shorter; ++i) {
    if (one.bytes[i] != bytes[i]) return false;
  }
  return true;
}

void take_back(uint64_t cookie, int32_t level, int32_t name, const char* bytes, uint32_t size) {
  uint32_t count = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
  for (uint32_t i = 0; i < count && i < capacity; ++i) {
    Membership& one = table[i];
    if (has(one, cookie, level) && opposite(level, one.name) == name && same_group(one, bytes, size)) __atomic_store_n(&one.state, 0, __ATOMIC_RELEASE);
  }
}

void add(uint64_t cookie, int32_t level, int32_t name, const char* bytes, uint32_t size) {
  if (size > sizeof table[0].bytes) return;
  for (uint32_t i = 0; i < capacity; ++i) {
    Membership& one = table[i];
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(&one.state, &free, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    one.cookie = cookie, one.level = level, one.name = name, one.size = size, one.joined_again = false;
    copy_bytes(one.bytes, bytes, size);
    __atomic_store_n(&one.state, 2, __ATOMIC_RELEASE);
    uint32_t known = __atomic_load_n(&used, __ATOMIC_RELAXED);
    while (known < i + 1 && !__atomic_compare_exchange_n(&used, &known, i + 1, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
    return;
  }
  host->log(CAIRN_LOG_WARNING, "more than 512 groups of multicast: those that were joined last are not joined again by a restart");
}

bool takes_back(int32_t level, int32_t name) {
  if (level != IPPROTO_IP && level != IPPROTO_IPV6) return false;
  if (level == IPPROTO_IPV6 && name == IPV6_DROP_MEMBERSHIP) return true;
  if (level == IPPROTO_IP && (name == IP_DROP_MEMBERSHIP || name == IP_DROP_SOURCE_MEMBERSHIP || name == IP_UNBLOCK_SOURCE)) return true;
  return name == MCAST_LEAVE_GROUP || name == MCAST_LEAVE_SOURCE_GROUP || name == MCAST_UNBLOCK_SOURCE;
}

void note(int32_t fd, int32_t level, int32_t name, const void* value, uint32_t size) {
  int32_t back = opposite(level, name);
  auto* bytes = static_cast<const char*>(value);
  if (back >= 0) {
    uint64_t cookie = cookie_of(fd);
    if (cookie == 0) return;
    // The last interface counts.
    if (back == 0) {
      uint32_t count = __atomic_load_n(&used, __ATOMIC_ACQUIRE);
      for (uint32_t i = 0; i < count && i < capacity; ++i) {
        if (has(table[i], cookie, level) && table[i].name == name) __atomic_store_n(&table[i].state, 0, __ATOMIC_RELEASE);
      }
    }
    add(cookie, level, name, bytes, size);
  } else if (takes_back(level, name)) {
    take_back(cookie_of(fd), level, name, bytes, size);
  }
}

}  // namespace

uint64_t cookie_of(int32_t fd) {
  uint64_t cookie = 0;
  uint32_t size = sizeof cookie;
  return sys(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, pointer(&cookie), pointer(&size)) == 0 ? cookie : 0;
}

void prepare_groups() { next_setsockopt.get(); }

void begin_groups() {
  for (uint32_t i = 0; i < used && i < capacity; ++i) {
    table[i].joined_again = false;
    bool known = false;
    for (const Socket* one = sockets; one != nullptr; one = one->next) known = known || one->cookie == table[i].cookie;
    // Its socket was closed.
    if (!known) table[i].state = 0;
  }
}

void join_groups(const Socket& one, int32_t fd) {
  uint64_t now = 0;
  for (uint32_t i = 0; i < used && i < capacity; ++i) {
    Membership& group = table[i];
    if (group.state != 2 || group.joined_again || group.cookie != one.cookie) continue;
    if (now == 0) now = cookie_of(fd);
    long result = sys(SYS_setsockopt, fd, group.level, group.name, pointer(group.bytes), group.size);
    // Another process that has the socket may have been first.
    if (result < 0 && result != -EADDRINUSE && result != -EADDRNOTAVAIL) host->log(CAIRN_LOG_WARNING, "a socket cannot join a group of multicast again");
    group.cookie = now;
    group.joined_again = true;
  }
}

}  // namespace cairn::sockets

using namespace cairn::sockets;
namespace plugin = cairn::plugin;

CAIRN_WRAP(int, setsockopt, int fd, int level, int name, const void* value, uint32_t size) {
  if (int32_t limit = plugin::limit_of(level, name); __builtin_expect(limit != 0, 0)) {
    __atomic_store_n(&plugin::socket_limits_used, true, __ATOMIC_RELAXED);
    plugin::put_back_limits(host, fd, limit);
  }
  int result = next_setsockopt.get()(fd, level, name, value, size);
  if (__builtin_expect(result == 0 && (level == IPPROTO_IP || level == IPPROTO_IPV6) && value != nullptr, 0)) note(fd, level, name, value, size);
  return result;
}
