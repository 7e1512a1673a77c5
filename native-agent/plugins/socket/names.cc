// How the processes of a computation learn of each other's sockets: by shared names. At a checkpoint each tells which sockets it
// brings back, and takes that back when the checkpoint is over. An entry that a process left behind when it was killed is
// recognised: the process is gone, or its descriptor is another thing. [quiesced, restoring] Test: test/probes/sockets.
#include <sched.h>
#include <time.h>

#include "common/handles.h"
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

constexpr uint32_t space_base = plugin::name_space("socket");
enum Space : uint32_t { by_inode = space_base, by_address, waiting, held_by_inode, locks };

Told* told = nullptr;

void tell(uint32_t space, int64_t key, int64_t value) { tell_in(&told, space, key, value); }

uint64_t mix(uint64_t hash, const void* data, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 1099511628211u;
  return hash;
}

/// IPv4 in either form is the same; scopes do not count.
uint64_t mix_address(uint64_t hash, const Address& given) {
  Address address = as_family(given, AF_INET);
  if (address.family() == AF_INET) return mix(hash, address.bytes, 8);
  if (address.family() == AF_INET6) return mix(mix(hash, address.bytes, 4), address.bytes + 8, 16);
  return mix(hash, address.bytes, address.size);
}

}  // namespace

int64_t address_key(int32_t type, const Address& local, const Address* remote) {
  uint64_t hash = mix_address(mix(14695981039346656037u, &type, sizeof type), local);
  return static_cast<int64_t>((remote == nullptr ? hash : mix_address(hash, *remote)) >> 1);
}

void tell_place(uint64_t inode, const Place& place) {
  int64_t value = (static_cast<int64_t>(place.process) << 32) | (static_cast<int64_t>(place.family) << 24) | place.fd;
  tell(by_inode, static_cast<int64_t>(inode), value);
}

bool place_of(uint64_t inode, Place* place) {
  int64_t value = 0, real = 0;
  if (inode == 0 || host->get_name(by_inode, static_cast<int64_t>(inode), &value) < 0) return false;
  *place = {static_cast<int32_t>(value >> 32), static_cast<int32_t>(value & 0xffffff), static_cast<int32_t>((value >> 24) & 0xff)};
  if (host->get_name(CAIRN_NAMES_PROCESS, place->process, &real) < 0) return false;
  Text<64> path, wanted;
  path.add("/proc/").add(real).add("/fd/").add(int64_t{place->fd});
  wanted.add("socket:[").add(static_cast<int64_t>(inode)).add("]");
  char link[64];
  long length = sys(SYS_readlink, pointer(path.text()), pointer(link), sizeof link - 1);
  if (length < 0) return false;
  link[length] = 0;
  return plugin::same(link, wanted.text());
}

void tell_address(int32_t type, const Address& local, const Address* remote, uint64_t inode) {
  tell(by_address, address_key(type, local, remote), static_cast<int64_t>(inode));
}

bool inode_of(int32_t type, const Address& local, const Address* remote, uint64_t* inode) {
  int64_t value = 0;
  if (host->get_name(by_address, address_key(type, local, remote), &value) < 0) return false;
  *inode = static_cast<uint64_t>(value);
  return true;
}

void tell_waiting(uint64_t client, uint64_t listener) {
  tell(waiting, static_cast<int64_t>(client), static_cast<int64_t>(listener));
}

bool waits(uint64_t client) {
  int64_t listener = 0;
  Place place;
  return host->get_name(waiting, static_cast<int64_t>(client), &listener) == 0 && place_of(static_cast<uint64_t>(listener), &place);
}

uint32_t count_waiting(uint64_t listener) {
  uint32_t index = 0, count = 0;
  int64_t client = 0, at = 0;
  Place place;
  while (host->next_name(waiting, &index, &client, &at) == 0) {
    if (at == static_cast<int64_t>(listener) && place_of(static_cast<uint64_t>(client), &place)) ++count;
  }
  return count;
}

void tell_in(Told** list, uint32_t space, int64_t key, int64_t value) {
  auto* entry = static_cast<Told*>(take_memory(sizeof(Told)));
  if (entry == nullptr || host->set_name(space, key, value) < 0) return;
  *entry = {*list, space, key};
  *list = entry;
}

void forget_told(Told** list) {
  for (; *list != nullptr; *list = (*list)->next) host->remove_name((*list)->space, (*list)->key);
}

void forget_told() { forget_told(&told); }

void tell_held(uint64_t inode, int32_t fd) { host->set_name(held_by_inode, static_cast<int64_t>(inode), fd); }

bool held(uint64_t inode, int32_t* fd) {
  int64_t value = 0;
  if (host->get_name(held_by_inode, static_cast<int64_t>(inode), &value) < 0) return false;
  *fd = static_cast<int32_t>(value);
  return true;
}

void forget_held(uint64_t inode) { host->remove_name(held_by_inode, static_cast<int64_t>(inode)); }

void lock_name(const Address& address) {
  int64_t holder;
  // Whoever holds it does a few system calls; one that was killed ends the restart anyway.
  for (int patience = 0; patience < 20000; ++patience) {
    if (host->claim_name(locks, address_key(0, address, nullptr), host->virtual_pid(), &holder) != -EEXIST) return;
    struct timespec pause = {0, 100000};
    sys(SYS_nanosleep, pointer(&pause), 0);
  }
}

void unlock_name(const Address& address) { host->remove_name(locks, address_key(0, address, nullptr)); }

int32_t fetch(int32_t virtual_process, int32_t fd) {
  int64_t real = 0;
  if (host->get_name(CAIRN_NAMES_PROCESS, virtual_process, &real) < 0) return -ESRCH;
  return plugin::take_descriptor(host, real, fd);
}

}  // namespace cairn::sockets
