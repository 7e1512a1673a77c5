// Sockets that lead outside and that a plugin brings back: told to the plugin `external`, with the names that the application knows, and
// made by it at a restart. Where one is replaced while the run goes on, the new one gets what the old one had.
// [quiesced, restoring] Test: test/probes/external.test.ts
#include "socket/socket.h"

namespace cairn::sockets {
namespace {

const cairn_externals* externals() { return static_cast<const cairn_externals*>(host->extension("cairn.external/1")); }

/// What the checkpoint has noted of the socket, before its plugin disconnected it; else as it is now.
const Socket& noted(int32_t fd, Socket* place) {
  struct stat64 status = {};
  sys(SYS_fstat, fd, pointer(&status));
  for (const Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->inode == status.st_ino) *place = *one;
  }
  if (place->inode == 0) {
    read_addresses(fd, &place->shown_local, &place->shown_peer);
    if (!shown_address(fd, 0, &place->shown_local)) to_shown(&place->shown_local);
    if (!shown_address(fd, 1, &place->shown_peer)) to_shown(&place->shown_peer);
  }
  const int names[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
  int32_t* const values[] = {&place->family, &place->type, &place->protocol};
  for (int i = 0; i < 3; ++i) {
    uint32_t size = sizeof(int32_t);
    sys(SYS_getsockopt, fd, SOL_SOCKET, names[i], pointer(values[i]), pointer(&size));
  }
  place->fd = fd;
  save_options(place);
  return *place;
}

int32_t replace(int32_t old_fd, int32_t new_fd) {
  static Socket one;
  one = {};
  (void)noted(old_fd, &one);
  one.fd = new_fd;
  set_options(one, new_fd);
  set_late_options(one);
  prepare_shown();
  note_shown(one, new_fd);
  begin_translation();
  return 0;
}

}  // namespace

const cairn_sockets socket_functions = {sizeof socket_functions, 0, replace};

bool is_marked(const Socket& one) {
  char name[64];
  return externals() != nullptr && externals()->marked(one.fd, name, sizeof name) >= 0;
}

int32_t offer_external(Socket* one, bool wanted) {
  if (externals() == nullptr) return 0;
  char name[64];
  Text<512> local, peer;
  add_address(&local, one->shown_local);
  add_address(&peer, one->shown_peer);
  cairn_external connection = {};
  connection.fd = one->fd;
  connection.name = externals()->marked(one->fd, name, sizeof name) >= 0 ? name : "";
  connection.local = local.text();
  connection.peer = peer.text();
  connection.family = one->family;
  connection.type = one->type;
  connection.protocol = one->protocol;
  connection.rule = wanted ? 1 : 0;
  int32_t result = externals()->save(&connection, &one->external);
  if (result == 1) one->role = Role::external;
  return result;
}

int32_t make_external() {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->elsewhere || one->role != Role::external) continue;
    int32_t fd = externals()->restore(one->external);
    if (fd == -ENOENT && closes(one->shown_peer)) {
      one->role = Role::outside;
      one->external = 0;
      continue;
    }
    if (fd == -ENOENT) {
      Text<512> peer;
      add_address(&peer, one->shown_peer);
      Text<1200> text;
      text.add("the connection to ").add(peer.text()).add(" (descriptor ").add(int64_t{one->fd})
          .add(") leaves the computation and is external, and no plugin of this restart brings it back; give the one that does by --plugin, or let the program find it closed by --connection '")
          .add(peer.text()).add("=close'");
      return host->fail(-ENOTSUP, peer.text(), text.text());
    }
    if (fd < 0) return fd;
    if (int32_t error = settle(fd, one->fd, nullptr); error < 0) return error;
    set_options(*one, one->fd);
  }
  return 0;
}

int32_t note_external(const Socket& one, int32_t fd) {
  return one.elsewhere || one.external == 0 ? 0 : externals()->restored(one.external, fd);
}

}  // namespace cairn::sockets
