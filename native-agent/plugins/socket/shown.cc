// Names that the kernel shows otherwise than the application knows them, since a restart: addresses that could not be had again, and
// the process at the other end of a Unix socket. By the socket's inode, in each process that has it. Filled
// when restoring and by bind, read [any]; entries are only added. Test: test/probes/sockets (credentials, tcp).
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

struct Shown {
  uint64_t inode;
  bool local_differs, peer_differs;
  Address local, peer;
  struct ucred credentials;  // pid 0: as the kernel says
};

constexpr uint32_t capacity = 4096;
Shown* table = nullptr;
uint32_t count = 0;  // may grow beyond the capacity

uint32_t used() {
  uint32_t now = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
  return now < capacity ? now : capacity;
}

void add(const Shown& entry, uint64_t inode) {
  uint32_t place = __atomic_fetch_add(&count, 1, __ATOMIC_ACQ_REL);
  if (table == nullptr || place >= capacity) return;
  table[place] = entry;
  __atomic_store_n(&table[place].inode, inode, __ATOMIC_RELEASE);
}

const Shown* find(int32_t fd) {
  uint32_t place = used();
  if (place == 0 || table == nullptr) return nullptr;
  struct stat64 status = {};
  if (sys(SYS_fstat, fd, pointer(&status)) < 0 || !S_ISSOCK(status.st_mode)) return nullptr;
  // The latest counts: a number may have been given again.
  while (place-- > 0) {
    if (__atomic_load_n(&table[place].inode, __ATOMIC_ACQUIRE) == status.st_ino) return &table[place];
  }
  return nullptr;
}

bool differs(const Address& wanted, Address now) {
  if (wanted.size == 0) return false;
  to_shown(&now);
  return !same_address(wanted, now);
}

}  // namespace

void prepare_shown() {
  if (table == nullptr) table = static_cast<Shown*>(host->allocate(capacity * sizeof(Shown)));
}

void forget_shown() {
  prepare_shown();
  for (uint32_t i = 0; i < used(); ++i) table[i] = {};
  count = 0;
}

void note_bound(int32_t fd, const Address& address) {
  struct stat64 status = {};
  Shown entry = {};
  entry.local_differs = true;
  entry.local = address;
  if (sys(SYS_fstat, fd, pointer(&status)) == 0) add(entry, status.st_ino);
}

void note_connected(int32_t fd, const Address& address) {
  struct stat64 status = {};
  Shown entry = {};
  if (const Shown* known = find(fd)) entry = *known;
  entry.peer_differs = true;
  entry.peer = address;
  if (sys(SYS_fstat, fd, pointer(&status)) == 0) add(entry, status.st_ino);
}

void note_shown(const Socket& one, int32_t fd) {
  struct stat64 status = {};
  Shown entry = {};
  Address local = {}, peer = {};
  read_addresses(fd, &local, &peer);
  entry.local_differs = differs(one.shown_local, local);
  entry.peer_differs = one.role != Role::waiting && differs(one.shown_peer, peer);
  entry.local = one.shown_local;
  entry.peer = one.shown_peer;
  entry.credentials = one.credentials;
  if (entry.credentials.uid == own_user) entry.credentials.uid = static_cast<uid_t>(sys(SYS_geteuid));
  if (entry.credentials.gid == own_user) entry.credentials.gid = static_cast<gid_t>(sys(SYS_getegid));
  if (!entry.local_differs && !entry.peer_differs && entry.credentials.pid == 0) return;
  if (sys(SYS_fstat, fd, pointer(&status)) < 0) return;
  add(entry, status.st_ino);
}

void carry_shown(int32_t old_fd, int32_t new_fd, const Address& local) {
  struct stat64 status = {};
  Shown entry = {};
  const Shown* known = find(old_fd);
  Address now = {}, none = {};
  read_addresses(new_fd, &now, &none);
  bool moved = !same_address(now, local);
  if ((known == nullptr && !moved) || sys(SYS_fstat, new_fd, pointer(&status)) < 0) return;
  if (known != nullptr) entry = *known;
  if (moved && !entry.local_differs) {
    entry.local_differs = true;
    entry.local = local;
  }
  prepare_shown();
  add(entry, status.st_ino);
  begin_translation();
}

bool shown_address(int32_t fd, int which, Address* address) {
  const Shown* entry = find(fd);
  if (entry == nullptr || !(which == 0 ? entry->local_differs : entry->peer_differs)) return false;
  *address = which == 0 ? entry->local : entry->peer;
  return true;
}

bool shown_credentials(int32_t fd, struct ucred* credentials) {
  const Shown* entry = find(fd);
  if (entry == nullptr || entry->credentials.pid == 0) return false;
  *credentials = entry->credentials;
  return true;
}

}  // namespace cairn::sockets
