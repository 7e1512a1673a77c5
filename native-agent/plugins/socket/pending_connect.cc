// A connection that was accepted by a checkpoint is connected again: by a socket that comes in the place of its client's, or in the name of a
// client that is no more (pending.h). [quiesced] and [restoring] Test: test/probes/sockets (pending*.c)
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

#include "common/handles.h"
#include "socket/pending.h"

namespace cairn::sockets::pending {
namespace {

constexpr int32_t connect_ms = 2000;

void pause_a_moment() {
  struct timespec pause = {0, 1000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

int32_t open_socket(int32_t family, int32_t type, int32_t protocol) {
  long fd = sys(SYS_socket, family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return fd < 0 ? static_cast<int32_t>(fd) : plugin::hide_handle(host, fd);
}

/// Who is told of input, and how.
void copy_owner(int32_t from, int32_t to) {
  constexpr int get_owner = 16, set_owner = 15, get_signal = 11, set_signal = 10;  // F_GETOWN_EX and so on
  struct {
    int32_t type, pid;
  } owner = {};
  if (sys(SYS_fcntl, from, get_owner, pointer(&owner)) == 0 && owner.pid != 0) sys(SYS_fcntl, to, set_owner, pointer(&owner));
  if (long signal = sys(SYS_fcntl, from, get_signal); signal > 0) sys(SYS_fcntl, to, set_signal, signal);
}

/// As the program knows it.
Address shown_name(const Client& client) {
  Address shown = client.socket.local;
  if (!shown_address(client.socket.fd, 0, &shown)) to_shown(&shown);
  return shown;
}

/// A relative name is given from its own folder: the working folder is another one for that moment.
int32_t bind_by_path(Client* client, const Address& place, const struct stat64& status) {
  const Address shown = shown_name(*client);
  const Text<128> path = path_text(place);
  long folder = sys(SYS_openat, AT_FDCWD, pointer("."), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  if (folder < 0) return static_cast<int32_t>(folder);
  sys(SYS_unlink, pointer(path.text()));
  int32_t result = bind_name(client->fresh, shown, true, status.st_mode);
  if (result == 0) sys(SYS_lchown, pointer(path.text()), status.st_uid, status.st_gid);
  sys(SYS_fchdir, folder);
  sys(SYS_close, folder);
  return result;
}

/// The name of before, which the old socket gives up: nobody waits at its other end any more.
void take_name(Client* client) {
  const Socket& old = client->socket;
  struct stat64 status = {};
  Address place = {};
  long result = -ENOENT;
  if (!has_path(old.local)) {
    put_in_place(client, client->fresh);
    result = sys(SYS_bind, client->fresh, pointer(old.local.bytes), old.local.size);
  } else if (has_own_file(*client, &place, &status)) {
    result = bind_by_path(client, place, status);
  }
  if (result < 0) host->log(CAIRN_LOG_WARNING, "a client that was not accepted yet cannot have its name again; the program itself sees it all the same");
}

}  // namespace

bool has_own_file(const Client& client, Address* place, struct stat64* status) {
  return client.file != 0 && file_address(shown_name(client), client.file, place) &&
         sys(SYS_newfstatat, AT_FDCWD, pointer(path_text(*place).text()), pointer(status), 0x100 /* AT_SYMLINK_NOFOLLOW */) == 0;
}

int32_t connect_now(int32_t fd, const Address& target) {
  long result = -EAGAIN;
  for (int32_t waited = 0; waited < connect_ms; ++waited) {
    result = sys(SYS_connect, fd, pointer(target.bytes), target.size);
    // The port of before is free when the reset has arrived.
    if (result != -EAGAIN && result != -EADDRNOTAVAIL && result != -EINTR) break;
    if (result == -EADDRNOTAVAIL && waited > 200) break;
    pause_a_moment();
  }
  if (result != -EINPROGRESS) return static_cast<int32_t>(result);
  struct pollfd poll = {fd, POLLOUT, 0};
  struct timespec time = {connect_ms / 1000, 0};
  int32_t error = ETIMEDOUT;
  uint32_t size = sizeof error;
  if (sys(SYS_ppoll, pointer(&poll), 1, pointer(&time), 0, 0) > 0) sys(SYS_getsockopt, fd, SOL_SOCKET, SO_ERROR, pointer(&error), pointer(&size));
  return -error;
}

void put_in_place(Client* client, int32_t fresh) {
  auto* watches = static_cast<const cairn_watches*>(host->extension("cairn.watches/1"));
  static int32_t numbers[8192];
  uint32_t count = own_numbers(numbers, 8192);
  carry_shown(client->socket.fd, fresh, client->socket.local);
  for (uint32_t i = 0; i < count; ++i) {
    if (inode_of_socket(numbers[i]) != client->socket.inode) continue;
    long flags = sys(SYS_fcntl, numbers[i], F_GETFD);
    long error = watches != nullptr ? watches->replace(numbers[i], fresh) : sys(SYS_dup3, fresh, numbers[i], 0);
    if (error < 0) host->log(CAIRN_LOG_ERROR, "a connection that was not accepted yet cannot be put in its place again");
    else sys(SYS_fcntl, numbers[i], F_SETFD, flags);
  }
  client->replaced = true;
}

int32_t connect_fresh(Client* client, const Address& named_target) {
  const Socket& old = client->socket;
  if (client->fresh < 0) return -EMFILE;
  int32_t result;
  if (is_unix(old)) {
    copy_owner(old.fd, client->fresh);
    if (is_named(old.local)) take_name(client);
    result = connect_now(client->fresh, named_target);
  } else {
    // The accepted end was reset; this one forgets its connection where that has not arrived.
    const uint64_t nobody[2] = {AF_UNSPEC, 0};
    sys(SYS_connect, old.fd, pointer(nobody), sizeof nobody);
    result = connect_now(client->fresh, old.peer);
    if (result < 0) {
      host->log(CAIRN_LOG_WARNING, "a connection that was not accepted yet has another port than before");
      host->close_fd(client->fresh);
      client->fresh = open_socket(old.family, old.type, old.protocol);
      if (client->fresh < 0) return client->fresh;
      set_options(old, client->fresh);
      result = connect_now(client->fresh, old.peer);
    }
  }
  if (result < 0) return result;
  const int32_t none = 0;
  const int wishes[] = {IP_BIND_ADDRESS_NO_PORT, ip_local_port_range};
  for (int wish : wishes) {
    if (!is_unix(old)) sys(SYS_setsockopt, client->fresh, IPPROTO_IP, wish, pointer(&none), sizeof none);
  }
  if (!is_unix(old)) copy_owner(old.fd, client->fresh);
  sys(SYS_fcntl, client->fresh, F_SETFL, static_cast<long>(old.status_flags));
  return 0;
}

int32_t connect_for_nobody(const Address& named_target, const Socket& accepted, bool restarting, int32_t* fd) {
  bool named = accepted.family == AF_UNIX;
  Address target = named_target, from = as_family(accepted.peer, AF_INET);
  if (restarting) {
    if (int32_t error = reach(accepted.type, accepted.shown_local, &target); error < 0) return error;
  } else if (!named) {
    target = accepted.local;
  }
  if (!named) target = as_family(target, AF_INET);
  *fd = open_socket(target.family(), accepted.type, accepted.protocol);
  if (*fd < 0) return *fd;
  int32_t yes = 1;
  if (!named) {
    sys(SYS_setsockopt, *fd, SOL_SOCKET, SO_REUSEADDR, pointer(&yes), sizeof yes);
    if (sys(SYS_bind, *fd, pointer(from.bytes), from.size) == 0 && connect_now(*fd, target) == 0) return 0;
    // Its port was taken meanwhile: nobody asks for it.
    host->close_fd(*fd);
    *fd = open_socket(target.family(), accepted.type, accepted.protocol);
    if (*fd < 0) return *fd;
  }
  return connect_now(*fd, target);
}

}  // namespace cairn::sockets::pending
