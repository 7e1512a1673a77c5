// Connections to processes of the computation on other hosts: away.cc at a checkpoint, away_restart.cc at a restart.
#pragma once
#include "socket/socket.h"

namespace cairn::sockets {

/// An end of a connection, for all hosts.
struct PlaceKey {
  int32_t process;  // virtual pid
  int32_t fd;
};

/// The computation is on several hosts, and an operation is going on in which they can tell each other something.
bool several_hosts();

// ---- away.cc: [quiesced] ----------------------------------------------------------------------------------------------------
/// When a socket is described, and a barrier later: its peer on another host.
void tell_ends(const Socket& one);
bool find_away(Socket* one);
/// What a socket has to send does not fit into its peer's queue. 0, or -errno after host->fail
int32_t tell_stuck(const Socket& one);
int32_t drain_away();
int32_t refill_away(const Socket& one);
void abort_away();

/// Files of the folder that all hosts see. [quiesced, restoring] 0, or -errno after host->fail
Text<4400> file_name(char kind, int32_t process, int32_t fd);
int32_t write_queue(char kind, const Socket& one);
int32_t send_file(char kind, int32_t process, int32_t fd, int32_t to);

// ---- away_restart.cc: [restoring] ---------------------------------------------------------------------------------------------
int32_t offer_away();
int32_t connect_away();
int32_t accept_away();
/// Puts into its peer's queue what was there.
int32_t fill_away(const Socket& one);

// ---- addresses_now.cc ------------------------------------------------------------------------------------------------------
/// [init] From what a restart of before has left; and [restoring] anew.
void load_addresses();
void learn_addresses();
/// [any] An address that a host of the computation had is made the one that it has now; false: it is none, or is the same.
bool readdress(Address* address);

}  // namespace cairn::sockets
