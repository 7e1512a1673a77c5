// Connections that a listening socket of the computation has not accepted yet and whose client has already sent something (or has gone).
// Nobody but who accepts a connection sees what is in it: so a checkpoint accepts all that wait at that socket, in their order, looks at
// what they hold, and has them made anew: their clients connect again in the same order, from the same port, and send the same. From then
// on they wait as before, and the listener has seen nothing. Where that cannot be for one of them nothing is accepted.
//
// Four steps, between which all processes wait for each other. They come when `passed` has looked into queues, and before `descriptor` lists
// the descriptors: what lists them sees the new ones.
//   pending.listeners  who has a listening socket at which somebody waits tells who that is                            pending.cc
//   pending.clients    who has the client's end says whether it can be made anew, and has a new socket ready           pending.cc
//   pending.accept     where it is needed and possible, all are accepted and read                                      pending_take.cc
//   pending.connect    in turns: connected again, put in the old one's places, filled                                  pending_again.cc
// An abort after something was accepted does the last step, too. A restart begins with it: connections of processes that were killed.
// Tests: test/probes/sockets (pending*.c)
#pragma once
#include "socket/socket.h"

namespace cairn::sockets {

/// What all processes read of a connection that was accepted.
struct PendingHead {
  struct Pending* next;
  uint64_t accepted;   // inode of the listener's end
  uint64_t client;     // inode of the client's end; 0: it is gone
  int32_t doer;        // virtual pid of the process that connects it again
  uint32_t messages;
};

struct Pending {
  PendingHead head;
  Socket socket;       // the listener's end as it was
};

/// A client's place in a queue of TCP, as the kernel lists them.
struct Child {
  Child* next;
  Address local, peer;  // the listener's end, the client's
  uint32_t state;
  uint32_t received;    // bytes; the end counts as one
};

/// A listening socket at which somebody waits; in the one process that accepts.
struct Listening {
  Listening* next;
  uint64_t inode;
  int32_t fd;
  int32_t family, type, protocol;
  uint32_t queued;
  uint32_t gone;          // of a Unix socket: clients that nobody has any more
  bool reachable;
  bool taken, filled;
  Address local, shown;
  Address target;         // where a Unix socket is connected to now
  Child* children;        // of TCP
  Pending* first;
  Pending** end;
};

/// An end of a connection that waits, in each process that has it.
struct Client {
  Client* next;
  Socket socket;
  uint64_t listener;
  int32_t fresh;          // hidden: what comes in its place; -1: none
  int32_t reuse_before;   // SO_REUSEADDR of the old one; -1: untouched
  uint32_t file;          // of a Unix socket with a path: the inode of its name
  bool replaced;
};

/// kept: by a checkpoint that is over, of a computation that is held since.
enum class PendingState : int64_t { untouched = 1, taken = 2, filled = 3, kept = 4 };

namespace pending {

inline constexpr int ip_local_port_range = 51;  // IP_LOCAL_PORT_RANGE

// Shared names, told in these spaces.
enum Space : uint32_t {
  acceptors,     // inode of a listening socket -> virtual pid of the process that accepts
  records,       // -> where its Listening is
  layouts,       // -> size of a Pending there: processes of 32 and of 64 bits cannot read each other's
  states,        // -> PendingState
  turns,         // -> how many were connected again
  gone_clients,  // -> how many of those have no client
  unix_waiting,  // inode of a client -> inode of the listening socket
  tcp_waiting,   // its two addresses -> likewise
  tcp_clients,   // its two addresses -> inode of the client
  doers,         // inode of a client -> virtual pid of the process that makes it anew
  sharers,       // inode of a client and a virtual pid -> its descriptor there
  unread,        // inode of a client: it has sent something
  obstacles,     // inode of a client -> Obstacle
  flying,        // inode of a socket that is on the way in another
  ends,          // inode of an accepted end -> real pid and descriptor of the new client
  fresh_inodes,  // inode of an accepted end -> inode of the new client
  abstract,      // inode of a client that has an abstract name
  known,         // inode of a new client: what it has sent is in the image
  space_count
};
uint32_t space(Space which);
void tell(Space which, int64_t key, int64_t value);
bool get(Space which, int64_t key, int64_t* value);
inline int64_t sharer_key(uint64_t inode, int32_t process) { return static_cast<int64_t>(inode << 31) | process; }

enum class Obstacle : int64_t { none, flying, named, port, external, unreachable, layout, descriptors };

extern Listening* listenings;
extern Client* clients;
Client* client_of(uint64_t inode);
/// The application's descriptors.
uint32_t own_numbers(int32_t* numbers, uint32_t capacity);
int32_t option_of(int32_t fd, int name);
uint64_t inode_of_socket(int32_t fd);
/// The record of a listening socket in the process that accepts, and that one's real pid.
bool record_of(uint64_t listener, Listening* copy, int64_t* holder);
void drop_client(Client* one);

// ---- pending_connect.cc. 0 or -errno ----
/// Does not wait for the other end to accept, but for room in its queue.
int32_t connect_now(int32_t fd, const Address& target);
/// By its new socket. The target: of a Unix socket.
int32_t connect_fresh(Client* client, const Address& named_target);
/// In the name of a client that is no more. *fd: hidden.
int32_t connect_for_nobody(const Address& named_target, const Socket& accepted, bool restarting, int32_t* fd);
/// In every place that this process has for the old one.
void put_in_place(Client* client, int32_t fresh);
/// The name of a Unix socket leads to its own file still: where that is.
bool has_own_file(const Client& client, Address* place, struct stat64* status);

// ---- the steps ----
int32_t find_listeners();
int32_t find_clients();
int32_t take();
/// Connects again, puts in place and fills what was taken. 0, or the first failure.
int32_t give_back(bool restarting);
void abort_pending();
void tell_restart();
void begin_pending();
void close_ends();
/// The image is about to be written: the records say what is there now.
void settle_records();

}  // namespace pending
}  // namespace cairn::sockets
