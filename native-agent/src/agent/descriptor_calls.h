// Cairn's descriptors among the application's numbers: the application does not have them, whatever it closes (daemons close all that there
// could be), and gets their numbers where it wants these, by dup2 and dup3. Interposes on the functions that close and replace
// descriptors. Context: any, also a child of vfork, whose numbers are its own while its memory is its parent's.
// Test: test/probes/files/closed_all.c, taken_numbers.c.
#pragma once

namespace cairn::agent {

/// [init] Looks libc's functions up.
void find_descriptor_calls();

}  // namespace cairn::agent
