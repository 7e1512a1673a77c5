// Addresses of the computation's hosts that are other ones since a restart: what an application knows of before leads to where that host is
// now. The coordinator says which (names over all hosts, CAIRN_NAMES_HOST); programs that begin later find them in the shared names.
// Filled in init and [restoring], read [any]. Test: test/hosts (other addresses).
#include <netinet/in.h>

#include "common/handles.h"
#include "socket/away.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t space = plugin::name_space("socket.addresses");
constexpr uint32_t capacity = 64;
constexpr uint32_t words = 4;  // of a pair, as 64-bit values

struct Pair {
  char from[16], to[16];  // of IPv6, or of IPv4 in its form
};
static_assert(sizeof(Pair) == words * sizeof(int64_t));
Pair pairs[capacity];
uint32_t pair_count = 0;

}  // namespace

void load_addresses() {
  uint32_t count = 0;
  for (; count < capacity; ++count) {
    int64_t parts[words];
    bool whole = true;
    for (uint32_t i = 0; i < words; ++i) whole = whole && host->get_name(space, count * words + i, &parts[i]) == 0;
    if (!whole) break;
    copy_bytes(&pairs[count], parts, sizeof parts);
  }
  __atomic_store_n(&pair_count, count, __ATOMIC_RELEASE);
}

void learn_addresses() {
  pair_count = 0;
  if (!several_hosts()) return;
  for (uint32_t index = 0; index < capacity; ++index) {
    cairn_answer answer = {};
    if (host->answer_of_hosts(CAIRN_NAMES_HOST, &index, sizeof index, &answer) != 0 || answer.value_size != sizeof(Pair)) break;
    int64_t parts[words];
    copy_bytes(parts, answer.value, sizeof parts);
    for (uint32_t i = 0; i < words; ++i) host->set_name(space, index * words + i, parts[i]);
  }
  load_addresses();
}

bool readdress(Address* address) {
  uint32_t count = __atomic_load_n(&pair_count, __ATOMIC_ACQUIRE);
  int32_t family = address->family();
  if (count == 0 || (family != AF_INET && family != AF_INET6)) return false;
  Address six = as_family(*address, AF_INET6);
  for (uint32_t i = 0; i < count; ++i) {
    bool same = true;
    for (uint32_t at = 0; at < sizeof pairs[i].from; ++at) same = same && six.bytes[8 + at] == pairs[i].from[at];
    if (!same) continue;
    copy_bytes(six.bytes + 8, pairs[i].to, sizeof pairs[i].to);
    Address now = family == AF_INET ? as_family(six, AF_INET) : six;
    if (now.family() != family) return false;
    *address = now;
    return true;
  }
  return false;
}

}  // namespace cairn::sockets
