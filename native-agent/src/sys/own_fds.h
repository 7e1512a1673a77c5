// Cairn's own descriptors inside an application: out of the way of the numbers that the application gets, and known one by
// one, so that no plugin takes them for the application's.
// Context: Cairn's own thread (and the writer, in its copy).
#pragma once

namespace cairn::sys {

/// Moves a descriptor of ours to a high number that the application does not have, close-on-exec. Stays where it is when there is no room.
int hide_fd(int fd);
void close_own_fd(int fd);
bool is_own_fd(int fd);
/// The first number of ours that is not below `from`; -1: there is none.
int next_own_fd(unsigned from);
/// [any] Gives a descriptor of ours another number, since the application is about to put something in its place. -errno: it cannot have one.
int leave_number(int fd);
/// One that was left is ours again.
void take_number(int fd);
/// [quiesced] The numbers that are open now are the application's: in this process they are taken, and after a restart, where its
/// descriptors come back one by one, none of ours may be in their way.
void reserve_fds();
/// After a fork or a restart: none is ours any more. close: 1 closes them first.
void forget_own_fds(bool close);

}  // namespace cairn::sys
