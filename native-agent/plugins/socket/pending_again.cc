// Connections that were accepted by a checkpoint, made anew: the clients connect in the order in which they had, one process after the
// other by the turns in the shared names; the new socket takes every number of the old one, in each process that has it; then what was in
// it is sent again, and what was closed is closed. At a restart the same, with the sockets that the plugin `socket` has made.
// All that processes need of each other they wait for by names, not by barriers: so an abort, which has none, does the same.
// [quiesced] and [restoring] Test: test/probes/sockets (pending*.c)
#include <fcntl.h>
#include <time.h>

#include "common/handles.h"
#include "socket/pending.h"

namespace cairn::sockets::pending {
namespace {

constexpr int32_t patience_ms = 15000, abort_ms = 3000;

/// A listening socket that was taken from, as each process goes through its connections.
struct Taken {
  uint64_t listener;
  int64_t holder;        // real pid
  const Pending* at;     // in its memory
  int64_t index;
  Address target;
};
constexpr uint32_t capacity = 1024;
Taken taken[capacity];
uint32_t taken_count = 0;

/// What this process has connected.
struct Done {
  Done* next;
  PendingHead head;
  int32_t fd;            // hidden
  bool is_unix;
  Client* client;        // NULL: it is gone
};
Done* dones = nullptr;
bool restarts = false;
bool finished = false;

void pause_a_moment() {
  struct timespec pause = {0, 1000000};
  sys(SYS_nanosleep, pointer(&pause), 0);
}

PendingState state_of(uint64_t listener) {
  int64_t value = 0;
  return get(states, static_cast<int64_t>(listener), &value) ? static_cast<PendingState>(value) : PendingState{};
}

bool was_taken(uint64_t listener) {
  PendingState state = state_of(listener);
  return state == PendingState::taken || state == PendingState::filled;
}

int32_t collect() {
  uint32_t index = 0;
  int64_t listener, value, layout;
  taken_count = 0;
  while (host->next_name(space(states), &index, &listener, &value) == 0) {
    if (!was_taken(static_cast<uint64_t>(listener)) || !get(layouts, listener, &layout) || layout != static_cast<int64_t>(sizeof(Pending))) continue;
    Listening record;
    Taken one = {};
    // Of a process that is no more.
    if (!record_of(static_cast<uint64_t>(listener), &record, &one.holder)) continue;
    if (taken_count == capacity) return host->fail(-E2BIG, "socket", "too many listening sockets with connections that were not accepted yet");
    one.listener = record.inode;
    one.at = record.first;
    one.target = record.target;
    taken[taken_count++] = one;
  }
  return 0;
}

/// Restart: the record of a socket that waits.
Socket* waiting_record(uint64_t inode) {
  for (Socket* one = sockets; one != nullptr; one = one->next) {
    if (one->inode == inode && one->role == Role::waiting && !one->elsewhere) return one;
  }
  return nullptr;
}

int32_t connect_restored(const Socket& one) {
  Address target;
  if (int32_t error = reach(one.type, one.shown_peer, &target); error < 0) return error;
  sys(SYS_fcntl, one.fd, F_SETFL, O_NONBLOCK);
  return connect_now(one.fd, target);
}

bool is_mine(const PendingHead& head) {
  if (restarts && head.client != 0) return waiting_record(head.client) != nullptr;
  return head.doer == host->virtual_pid();
}

int32_t connect_again(const Taken& of) {
  static Pending pending;
  if (long error = read_of(of.holder, of.at, &pending, sizeof pending); error < 0) return static_cast<int32_t>(error);
  const PendingHead& head = pending.head;
  Client* client = restarts ? nullptr : client_of(head.client);
  Done done = {dones, head, -1, pending.socket.family == AF_UNIX, client};
  int32_t shown = -1, error;
  if (head.client == 0) {
    error = connect_for_nobody(of.target, pending.socket, restarts, &done.fd);
    shown = done.fd;
  } else if (restarts) {
    const Socket* one = waiting_record(head.client);
    error = connect_restored(*one);
    shown = one->fd;
  } else {
    error = client == nullptr ? -ENOENT : connect_fresh(client, of.target);
    if (error == 0) shown = client->fresh;
  }
  tell(ends, static_cast<int64_t>(head.accepted), error < 0 ? -1 : int64_t{host->real_pid()} << 32 | shown);
  if (error < 0) return error;
  auto* kept = static_cast<Done*>(take_memory(sizeof(Done)));
  if (kept != nullptr) *kept = done, dones = kept;
  if (client == nullptr) return 0;
  auto inode = static_cast<int64_t>(inode_of_socket(client->fresh));
  tell(fresh_inodes, static_cast<int64_t>(head.accepted), inode);
  tell(known, inode, static_cast<int64_t>(of.listener));
  if (!client->replaced) put_in_place(client, client->fresh);
  return 0;
}

/// Another process has connected it: this one's share.
int32_t take_share(const PendingHead& head) {
  Client* client = restarts || head.client == 0 ? nullptr : client_of(head.client);
  if (client == nullptr || client->replaced) return 0;
  int32_t fd = pending_end(head.accepted);
  if (fd < 0) return fd;
  int32_t hidden = plugin::hide_handle(host, fd);
  if (hidden < 0) return hidden;
  put_in_place(client, hidden);
  host->close_fd(hidden);
  return 0;
}

/// Goes on with one listening socket as far as that can be now: 1: something was done; 0; -errno.
int32_t advance(Taken* of) {
  int32_t result = 0;
  while (of->at != nullptr) {
    PendingHead head;
    int64_t turn = 0;
    if (long error = read_of(of->holder, of->at, &head, sizeof head); error < 0) return static_cast<int32_t>(error);
    (void)get(turns, static_cast<int64_t>(of->listener), &turn);
    if (of->index >= turn) {
      if (!is_mine(head)) return result;
      int32_t error = connect_again(*of);
      // Those behind it have their turn all the same.
      host->set_name(space(turns), static_cast<int64_t>(of->listener), of->index + 1);
      if (error < 0) return error;
    } else if (int32_t error = take_share(head); error < 0) {
      return error;
    }
    result = 1;
    of->at = head.next;
    ++of->index;
  }
  return result;
}

int32_t failed(int32_t error, const char* step) {
  Text<256> text;
  text.add("a connection that was not accepted yet cannot be ").add(step).add(" (error ").add(int64_t{-error}).add(")");
  return host->fail(error, "socket", text.text());
}

int32_t connect_all() {
  int32_t first = 0;
  for (int32_t waited = 0; waited < patience_ms;) {
    bool left = false, moved = false;
    for (uint32_t i = 0; i < taken_count; ++i) {
      int32_t result = advance(&taken[i]);
      if (result < 0 && first == 0) first = failed(result, "made anew");
      // It is passed over; the others are gone on with.
      moved = moved || result > 0;
      if (result < 0) {
        PendingHead head;
        if (read_of(taken[i].holder, taken[i].at, &head, sizeof head) < 0) head.next = nullptr;
        taken[i].at = head.next;
        ++taken[i].index;
      }
      left = left || taken[i].at != nullptr;
    }
    if (!left) return first;
    if (moved) continue;
    pause_a_moment();
    ++waited;
  }
  return first < 0 ? first : failed(-ETIMEDOUT, "made anew by the process that has its client");
}

/// By the process that accepted.
int32_t fill(Listening* of, bool aborting) {
  int32_t first = 0;
  for (Pending* one = of->first; one != nullptr; one = one->head.next) {
    Socket& accepted = one->socket;
    if (is_unix(accepted)) {
      // Nobody may be there any more to send it in his own name.
      for (Message* message = accepted.queue; aborting && message != nullptr; message = message->next) message->author = 0;
      if (accepted.queue != nullptr) tell_deferred(accepted);
      continue;
    }
    int32_t end = pending_end(one->head.accepted);
    int32_t error = end < 0 ? end : fill_from(accepted, end);
    if (end >= 0) sys(SYS_close, end);
    if (error < 0 && first == 0) first = failed(error, "filled again");
  }
  of->filled = true;
  tell(states, static_cast<int64_t>(of->inode), static_cast<int64_t>(PendingState::filled));
  return first;
}

void end_one(Done* done, bool waits) {
  for (int32_t waited = 0; waits && done->is_unix && delivered(done->head.accepted) < static_cast<int64_t>(done->head.messages) && waited < patience_ms; ++waited) pause_a_moment();
  if (done->client == nullptr) {
    host->close_fd(done->fd);
    done->fd = -1;
    return;
  }
  Socket fresh = done->client->socket;
  fresh.fd = done->client->fresh;
  if (fresh.shutdown != 0) sys(SYS_shutdown, fresh.fd, fresh.shutdown == 3 ? SHUT_RDWR : fresh.shutdown == 2 ? SHUT_WR : SHUT_RD);
  set_late_options(fresh);
}

int32_t work(bool aborting) {
  int32_t first = collect();
  if (first < 0 || taken_count == 0) return first;
  first = connect_all();
  for (Listening* one = listenings; one != nullptr; one = one->next) {
    if (!one->taken || one->filled) continue;
    int32_t error = fill(one, aborting);
    if (first == 0) first = error;
  }
  // At a restart `passed` has it sent, when all processes have come there.
  if (restarts) return first;
  for (uint32_t i = 0; i < taken_count; ++i) {
    // No name: that one was done, and is through.
    for (int32_t waited = 0; state_of(taken[i].listener) == PendingState::taken && waited < patience_ms; ++waited) pause_a_moment();
  }
  int32_t error = deliver_deferred();
  if (first == 0) first = error;
  // What was not sent does not come.
  const bool waits = error == 0;
  for (Done* one = dones; one != nullptr; one = one->next) {
    if (one->client != nullptr || one->fd >= 0) end_one(one, waits);
  }
  return first;
}

bool has_inode(int64_t real_pid, uint64_t inode) {
  Text<64> path, wanted;
  path.add("/proc/").add(real_pid).add("/fd");
  wanted.add("socket:[").add(static_cast<int64_t>(inode)).add("]");
  bool found = false;
  (void)plugin::for_each_entry(host, path.text(), [&](long folder, const plugin::KernelDirent& entry) {
    char link[64];
    long length = sys(SYS_readlinkat, folder, pointer(entry.name), pointer(link), sizeof link - 1);
    if (length <= 0) return false;
    link[length] = 0;
    found = plugin::same(link, wanted.text());
    return found;
  });
  return found;
}

/// Whoever shares what this process has connected has taken it, or does not come.
void wait_for_sharers() {
  for (const Done* one = dones; one != nullptr; one = one->next) {
    bool left = one->client != nullptr;
    for (int32_t waited = 0; left && waited < abort_ms; ++waited) {
      uint32_t index = 0;
      int64_t virtual_id, real_id;
      left = false;
      while (!left && host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) left = has_inode(real_id, one->client->socket.inode);
      if (left) pause_a_moment();
    }
  }
}

}  // namespace

int32_t give_back(bool restarting) {
  restarts = restarting;
  for (Client* one = clients; !restarts && one != nullptr; one = one->next) {
    if (!was_taken(one->listener)) drop_client(one);
  }
  finished = true;
  return work(false);
}

void begin_pending() { finished = false; }

void settle_records() {
  for (Listening* one = listenings; one != nullptr; one = one->next) {
    if (!one->taken) continue;
    tell(states, static_cast<int64_t>(one->inode), static_cast<int64_t>(PendingState::kept));
    for (Pending* pending = one->first; pending != nullptr; pending = pending->head.next) {
      int64_t inode = 0;
      if (pending->head.client != 0 && get(fresh_inodes, static_cast<int64_t>(pending->head.accepted), &inode)) pending->head.client = static_cast<uint64_t>(inode);
    }
  }
}

/// Each process is told by itself, at any moment: whoever has a client waits for what the process that accepts says.
void abort_pending() {
  for (const Listening* one = listenings; one != nullptr; one = one->next) {
    if (!one->taken) tell(states, static_cast<int64_t>(one->inode), static_cast<int64_t>(PendingState::untouched));
  }
  bool any = false;
  for (const Listening* one = listenings; one != nullptr; one = one->next) any = any || one->taken;
  for (const Client* one = clients; one != nullptr; one = one->next) {
    for (int32_t waited = 0; !finished && state_of(one->listener) == PendingState{} && waited < abort_ms; ++waited) pause_a_moment();
    any = any || was_taken(one->listener);
  }
  if (any && !finished) {
    restarts = false;
    (void)work(true);
    wait_for_sharers();
  }
  finished = true;
  for (Client* one = clients; one != nullptr; one = one->next) drop_client(one);
  close_ends();
}

void tell_restart() {
  clients = nullptr;
  dones = nullptr;
  for (Listening* one = listenings; one != nullptr; one = one->next) {
    if (!one->taken) continue;
    auto key = static_cast<int64_t>(one->inode);
    one->filled = false;
    tell(acceptors, key, host->virtual_pid());
    tell(records, key, pointer(one));
    tell(layouts, key, sizeof(Pending));
    tell(turns, key, 0);
    tell(states, key, static_cast<int64_t>(PendingState::taken));
  }
}

/// Everybody has its own.
void close_ends() {
  for (Client* one = clients; one != nullptr; one = one->next) {
    if (one->fresh >= 0) host->close_fd(one->fresh);
    one->fresh = -1;
  }
  for (Done* one = dones; one != nullptr; one = one->next) {
    if (one->fd >= 0) host->close_fd(one->fd);
    one->fd = -1;
  }
  for (Listening* one = listenings; one != nullptr; one = one->next) {
    for (const Pending* pending = one->first; pending != nullptr; pending = pending->head.next) forget_delivered(pending->head.accepted);
  }
  dones = nullptr;
}

}  // namespace cairn::sockets::pending

namespace cairn::sockets {

bool is_known_pending(uint64_t client) {
  int64_t listener = 0;
  return pending::get(pending::known, static_cast<int64_t>(client), &listener);
}

uint32_t known_gone(uint64_t listener) {
  int64_t count = 0;
  return pending::get(pending::gone_clients, static_cast<int64_t>(listener), &count) ? static_cast<uint32_t>(count) : 0;
}

int32_t pending_end(uint64_t accepted) { return plugin::take_handle(host, pending::space(pending::ends), static_cast<int64_t>(accepted)); }

void end_pending() { pending::close_ends(); }

}  // namespace cairn::sockets
