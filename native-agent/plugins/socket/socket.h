// What the plugin `socket` notes of each open socket at a checkpoint, and what its parts offer each other. The records are in
// memory of the image (pool.cc): filled when quiesced, read when restoring. A process that only shares a socket with the one
// that brings it back has a record, too, for the names that its application sees.
#pragma once
#include <sys/socket.h>
#include <sys/stat.h>

#include "cairn/plugin.h"
#include "common/kernel.h"
#include "common/text.h"

struct sock_filter;

namespace cairn::sockets {

using plugin::Text;

/// A socket address as the kernel takes it; size 0: none.
struct Address {
  uint32_t size;
  alignas(8) char bytes[116];
  [[nodiscard]] uint16_t family() const { return size < 2 ? 0 : *reinterpret_cast<const uint16_t*>(bytes); }
};

enum class Role : uint32_t {
  loose,      // connected to nobody; a datagram socket may have a `target`
  listening,
  paired,     // the other end is a socket of the computation
  waiting,    // connected to a listening socket of the computation that has not accepted it yet
  orphaned,   // the other end was closed
  outside,    // the other end is no socket of the computation: reset after a restart
  external,   // likewise, and a plugin brings it back
};

/// A message in a receive queue, or a piece of a stream.
struct Message {
  Message* next;
  uint32_t size;
  int32_t sender_process;  // virtual pid of the process that keeps the socket it came from, and its descriptor there; 0: none
  int32_t sender_fd;
  int32_t author;          // virtual pid of the process that sent it, where the receiver is told; 0: it is not
  uint32_t urgent;         // TCP: the byte that was sent as urgent: 1: not read yet; 2: read, and only its place is left
  uint32_t passed_count;   // descriptors that are passed with it:
  int32_t* passed;         // their numbers in the process that has this record (passed.cc)
  Address from;
  char data[];
};

struct OptionValue {
  uint32_t size;  // 0: this socket does not have it
  char bytes[20];
};
inline constexpr uint32_t max_options = 80;
/// In credentials: the user, or group, of this process.
inline constexpr uint32_t own_user = UINT32_MAX;

struct Socket {
  Socket* next;
  Role role;
  bool elsewhere;         // another process brings it back
  bool refills;           // has to send again what its peer takes out of the connection
  bool deferred;          // its queue is filled when all descriptors of all processes are there (deliver.cc)
  bool drained;           // its queue, and what was on the way to it, was taken and is being sent again
  bool file_there;        // a Unix socket whose name is in the file system
  bool target;            // a datagram socket that is connected by its peer's name
  bool away;              // its peer is on another host of the computation
  bool has_left, handed_back;  // away, drain: all was sent; what was taken is in a file
  bool there;             // away, restart: the peer has connected
  bool in_turn;           // waiting: it connects again when it is its turn (pending.h)
  int32_t fd;             // the lowest descriptor, here and at the process that brings it back
  int32_t family;
  int32_t type;
  int32_t protocol;
  uint32_t status_flags;
  uint32_t shutdown;      // 1: receives no more, 2: sends no more
  uint32_t backlog;
  uint32_t queued;        // listening: connections that were not accepted yet
  uint32_t file_mode;
  uint64_t inode;
  uint64_t peer_inode;
  int32_t peer_process;   // virtual pid of the process that brings the peer back; 0: none
  int32_t peer_fd;
  int32_t peer_family;
  Address local, peer;              // as the kernel has them
  Address shown_local, shown_peer;  // as the application knows them
  struct ucred credentials;         // of the peer, with its virtual id and with own_user; pid 0: none
  OptionValue options[max_options];
  uint32_t buffer_lock;             // SO_BUF_LOCK
  uint32_t filter_length;           // SO_ATTACH_FILTER; 0: none
  struct sock_filter* filter;
  uint64_t cookie;                  // by which groups.cc knows it
  Message* queue;
  Message** queue_end;
  char token[16];                   // away, restart: by which the peer is known
  uint64_t external;                // what the plugin `external` knows it by; 0: nothing
  int32_t helper;                   // restart: the end of a pair that another process takes, or that is to be closed; -1: none
};

extern const cairn_host* host;
extern Socket* sockets;

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }
inline void copy_bytes(void* to, const void* from, uint64_t size) {
  for (uint64_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<const char*>(from)[i];
}
inline bool is_stream(const Socket& one) { return one.type == SOCK_STREAM; }
inline bool is_unix(const Socket& one) { return one.family == AF_UNIX; }

// ---- pool.cc: memory of the image that every checkpoint uses again. [quiesced] ------------------------------------------
void* take_memory(uint64_t size);
void release_memory();

// ---- names.cc: what the processes tell each other by shared names -----------------------------------------------------------
struct Place {
  int32_t process;  // virtual pid
  int32_t fd;
  int32_t family;
};
void tell_place(uint64_t inode, const Place& place);
/// False: no socket of the computation has this inode.
bool place_of(uint64_t inode, Place* place);
/// Which socket has these addresses; `remote` may be none.
void tell_address(int32_t type, const Address& local, const Address* remote, uint64_t inode);
bool inode_of(int32_t type, const Address& local, const Address* remote, uint64_t* inode);
/// A hash of an address, or of two, for names of a kind of socket.
int64_t address_key(int32_t type, const Address& local, const Address* remote);
/// Listening sockets and who waits in their queues.
void tell_waiting(uint64_t client, uint64_t listener);
bool waits(uint64_t client);
/// Those of the computation.
uint32_t count_waiting(uint64_t listener);
/// Takes back all that this process told.
void forget_told();
/// The same for a list of one's own, in the pool's memory.
struct Told {
  Told* next;
  uint32_t space;
  int64_t key;
};
void tell_in(Told** list, uint32_t space, int64_t key, int64_t value);
void forget_told(Told** list);
/// Restart: where the maker of a pair holds the other end; drain: a descriptor of what was taken out of a connection.
void tell_held(uint64_t inode, int32_t fd);
bool held(uint64_t inode, int32_t* fd);
void forget_held(uint64_t inode);
/// One process at a time may use a name for a moment. [restoring]
void lock_name(const Address& address);
void unlock_name(const Address& address);
/// A descriptor of another process's. -errno
int32_t fetch(int32_t virtual_process, int32_t fd);

// ---- diag.cc: what the kernel tells about any socket by NETLINK_SOCK_DIAG. [quiesced] ---------------------------------------
/// Connections that wait at one listening socket. The kernel's answer about a Unix one has no room for more.
inline constexpr uint32_t max_waiting = 900;
struct UnixState {
  uint32_t state;  // TCP_ESTABLISHED, TCP_LISTEN, …
  bool has_peer;
  bool has_file;
  uint32_t peer;   // inode; 0: none that a process has
  uint32_t file;   // inode
  uint32_t shutdown;
  uint32_t backlog;
  uint32_t unread; // memory of what it has sent and nobody has read
  uint32_t waiting_count;
  uint32_t waiting[max_waiting];
};
int32_t unix_state(uint64_t inode, UnixState* found);
struct InetState {
  uint32_t state;
  uint32_t inode;
  uint32_t receive_queue;
  uint32_t send_queue;
  uint32_t next_try_ms;  // when the kernel sends again what was not acknowledged, or asks whether there is room now
};
/// Calls visit for each connection at this local port that is not listening. 0 or -errno.
using InetVisit = void(void* context, const InetState& state, const Address& local, const Address& peer);
int32_t inet_children(int32_t family, const Address& local, InetVisit* visit, void* context);
/// -ENOENT: there is none.
int32_t inet_state(int32_t protocol, const Address& local, const Address& remote, InetState* found);

// ---- sole.cc ------------------------------------------------------------------------------------------------------------
/// [restoring] A socket that hears groups gets what others are sent: not until queues are filled.
void hear_nothing(const Socket& one);
/// [restoring] Around a call that sends to an address that several may have: it comes to this one alone, perhaps at another address.
void begin_sole(const Socket& one, int32_t sender, Address* to);
void end_sole(const Socket& one, int32_t sender, const Address& to);

// ---- address.cc ---------------------------------------------------------------------------------------------------------
void read_addresses(int32_t fd, Address* local, Address* peer);
bool same_address(const Address& one, const Address& other);
bool is_named(const Address& address);
/// Port of an Internet address, in the host's order; 0: none.
uint32_t port_of(const Address& address);
void set_port(Address* address, uint32_t port);
bool is_any(const Address& address);
/// The same in the other family's form: IPv4 as an address of IPv6 and back.
Address as_family(const Address& address, int32_t family);
bool is_loopback(const Address& address);
void add_address(Text<512>* text, const Address& address);
/// As the application gave or knows it. [any]
void to_shown(Address* address);
bool has_path(const Address& address);
Text<128> path_text(const Address& address);
Address path_address(const char* path);

// ---- place.cc -----------------------------------------------------------------------------------------------------------
/// [restoring] Gives a socket its name. `keep`: the name stays in the file system; else it must be free there.
int32_t bind_name(int32_t fd, const Address& shown, bool keep, uint32_t mode);
/// [restoring] The same for a name in the file system outside of the working folder where somebody else's socket is.
int32_t bind_in_run_folder(const Socket& one);
/// [restoring] The address at which the socket is that bind_name gave this name. Good until the next of these calls.
int32_t reach(int32_t type, const Address& shown, Address* address);
/// [quiesced] For names relative to the working folder.
void note_folder();
/// [restoring] There is something at the place of a name's file.
bool is_taken(const Address& shown);
/// [restoring] Removes the file of a name.
void release_name(const Address& shown);
bool file_of(const Address& shown, uint32_t inode, uint32_t* mode);
/// [quiesced] The address at which the socket of this file is reached from any folder.
bool file_address(const Address& shown, uint32_t inode, Address* address);

// ---- moved.cc: names that somebody else has at a restart ------------------------------------------------------------------------
/// [restoring] Binds a socket whose name is taken, and tells everybody where it is.
int32_t bind_elsewhere(const Socket& one);
/// [restoring] Several sockets of the computation may have this one's address at the same time (SO_REUSEPORT; datagrams: SO_REUSEADDR).
bool shares_address(const Socket& one);
/// Gives it that address, unless somebody outside of the computation has it: then all of them get another one.
int32_t bind_shared(const Socket& one);
/// [any] Where the socket of this name is now; and back. False: nothing is changed.
bool moved_to(int32_t type, Address* address);
bool moved_from(int32_t type, Address* address);
/// [any] SOCK_…; 0 where no name was moved.
int32_t type_of(int32_t fd);

// ---- save.cc, peers.cc: [quiesced] ------------------------------------------------------------------------------------------
/// 1, or -errno after host->fail.
int32_t claim(cairn_descriptor* offer);
int32_t describe_tcp(Socket* one);
bool on_this_host(const Address& local, const Address& peer);
int32_t find_peers();
/// A barrier later: all in the queues of listening sockets are of the computation.
int32_t save_queues();
int32_t refuse(const Socket& one, const char* what, const Address* about);
int32_t refuse_outside(const Socket& one);
int32_t refuse_for_now(const Socket& one, const char* what, const Address* about);  // the application will have left that state soon

// ---- rules.cc ---------------------------------------------------------------------------------------------------------------
enum class Leading : uint32_t { unsaid, refused, closed, external };
/// What the user wants to become of a connection to this peer, outside of the computation.
Leading rule_for(const Address& peer);
inline bool closes(const Address& peer) { return rule_for(peer) == Leading::closed; }

// ---- rows.cc ----------------------------------------------------------------------------------------------------------------
void rows(const char* table, cairn_emit_row emit, void* context);

// ---- outside.cc: connections that a plugin brings back ---------------------------------------------------------------------------
bool is_marked(const Socket& one);
/// [quiesced] 1: it is external; 0: nobody wants it; -errno.
int32_t offer_external(Socket* one, bool wanted);
/// [restoring]
int32_t make_external();
int32_t note_external(const Socket& one, int32_t fd);
extern const cairn_sockets socket_functions;

// ---- groups.cc: groups of multicast that a socket has joined --------------------------------------------------------------------
uint64_t cookie_of(int32_t fd);
/// [restoring] New numbers are given to the sockets from here on.
void begin_groups();
/// [restoring] Joins them again, from each process that has joined some.
void join_groups(const Socket& one, int32_t fd);
void prepare_groups();

// ---- netlink.cc -------------------------------------------------------------------------------------------------------------
int32_t describe_netlink(Socket* one);
/// [restoring]
int32_t make_netlink(const Socket& one);

// ---- options.cc -------------------------------------------------------------------------------------------------------------
void save_options(Socket* one);
/// SO_REUSEADDR, where it was set; else null.
const OptionValue* reuse_address(const Socket& one);
/// [restoring] Before a socket gets its name; and when its queue is full again.
void set_options(const Socket& one, int32_t fd);
void set_late_options(const Socket& one);

// ---- passed.cc: descriptors on the way in the queues of Unix sockets. [quiesced] --------------------------------------------------
/// What one look into a queue gives beside the data: see look_into.
struct Look {
  Address from;
  int32_t author;  // real pid; 0: not told
  uint32_t passed_count;
  int32_t passed[256];
  bool cut;        // not all came
  bool with_author;
};
/// recvmsg with MSG_PEEK, with all that comes with it. passed: new descriptors.
long look_into(int32_t fd, const struct iovec* parts, uint64_t count, long flags, Look* look);
void close_passed(const Look& look);
/// For each the number of a descriptor that the image has; -EBADF.
int32_t note_passed(Message* message, const Look& look);
/// The queue that was saved because there was a descriptor in it.
bool take_looked(Socket* one);
void close_opened();
/// From now on descriptors on the way are opened and stay so, or not.
void open_passed(bool yes);
void for_each_passed_socket(void (*visit)(int32_t fd));
/// What was opened last has none on the way itself. 0, or -errno after host->fail
int32_t refuse_deeper();
/// [restoring] Those that are there only for a restart.
void close_restored();

// ---- deliver.cc: [restoring] ------------------------------------------------------------------------------------------------
void tell_deferred(const Socket& one);
/// How many messages of this socket were sent; INT64_MAX: nobody has told that there are any.
int64_t delivered(uint64_t inode);
void forget_delivered(uint64_t inode);
/// Memory of a process of the computation. 0 or -errno. Real pid. [quiesced, restoring]
long read_of(int64_t pid, const void* from, void* to, uint64_t size);
int32_t deliver_deferred();
void forget_deferred();
/// Closes the peer of a connection that was reset or ended.
void end_peer(const Socket& one, int32_t peer);

// ---- pending.h: connections that were not accepted yet. ------------------------------------------------------------------------
/// What this client has sent is in the image.
bool is_known_pending(uint64_t client);
/// How many of those in this socket's queue have no client any more, and are in the image.
uint32_t known_gone(uint64_t listener);
/// [restoring] The new client's end of an accepted one. -errno
int32_t pending_end(uint64_t accepted);
/// [restoring] Closes those whose client had gone.
void end_pending();

// ---- messages.cc: queues of messages, with those of no bytes. [quiesced] ----------------------------------------------------------
/// 0; -EBADF as note_passed; -ESTALE: where messages of no bytes are cannot be told; other errors.
int32_t peek_messages(Socket* one);
/// Of the next checkpoint.
void begin_looks();
/// [restoring] No socket has been looked into.
void forget_looks();

// ---- queue.cc ---------------------------------------------------------------------------------------------------------------
/// [quiesced] Reads the queue without taking anything from it.
int32_t save_queue(Socket* one);
/// The next look begins so many bytes behind the first; all bits: at the first, by whatever it was looked at before.
void look_from(const Socket& one, uint64_t offset);
Message* add_message(Socket* one, uint32_t capacity);
/// urgent.cc: what is behind the place of urgent data, where a look stops. `before`: bytes up to there.
int32_t peek_urgent(Socket* one, uint64_t before);
bool has_urgent(const Socket& one);
/// [restoring]
int32_t send_urgent(int32_t fd, const Message& message);
int32_t read_urgent(const Socket& one);
/// [restoring] Puts the messages of a queue into it again, through the other end.
int32_t fill_from(const Socket& one, int32_t other_end);
/// [restoring] The same for datagrams, each from the socket it came from.
int32_t fill_datagrams(const Socket& one);
/// A socket that sends this message, and the address to send it to. -errno
int32_t open_sender(const Socket& receiver, const Message& message);
int32_t address_for(const Socket& receiver, int32_t sender, Address* to);
/// Sends all, waiting for room. [quiesced, restoring]
void make_room(const Socket& one);  // in a connection made anew, for what is in the record's queue
int32_t send_whole(int32_t fd, const char* data, uint64_t size);

// ---- drain.cc: what of a TCP connection does not fit into its receiver's queue. [quiesced] ----------------------------------
int32_t settle_queues();
/// After save_queues: whether drain and refill have something to do here.
bool has_to_drain();
int32_t drain();
int32_t refill();
void abort_drain();
void end_drain();

// ---- make.cc, pair.cc: [restoring] ------------------------------------------------------------------------------------------
int32_t make_pairs();
int32_t make_others();
int32_t fill_queues();
int32_t finish();
/// Both ends of a connection, ends[0] for `own`.
int32_t connect_pair(const Socket& own, int32_t* ends);
int32_t fail(int32_t error, const Socket& one, const char* what);
/// Gives a descriptor its number; *other, if it is in the way, moves.
int32_t settle(int32_t fd, int32_t number, int32_t* other);

// ---- shown.cc, calls.cc, named_calls.cc: names that the kernel shows otherwise than the application knows them -----------------------------------------
void forget_shown();
/// [quiesced] A run that was never restarted has no place for such names.
void prepare_shown();
/// [restoring] Compares, and notes what differs.
void note_shown(const Socket& one, int32_t fd);
/// [any] The application gave this name, the kernel got another one.
void note_bound(int32_t fd, const Address& address);
/// [any] The application asked for this name, and is connected to another one.
void note_connected(int32_t fd, const Address& address);
/// [quiesced] A new socket comes in the place of one that had this address.
void carry_shown(int32_t old_fd, int32_t new_fd, const Address& local);
/// [any] Replaces what the kernel says. which: 0 local, 1 peer.
bool shown_address(int32_t fd, int which, Address* address);
bool shown_credentials(int32_t fd, struct ucred* credentials);
/// [init] and [restoring]
void prepare_calls();
void begin_translation();
bool translates();
/// [restoring] Once the descriptors have their numbers: calls under way in which the kernel was given a name.
void correct_calls();
void prepare_named_calls();
void prepare_writes();

}  // namespace cairn::sockets
