// Owns: where libc keeps a thread's id.
// libc's own `tid` of a thread holds the VIRTUAL id after a restart, so that owners of locks stay right; every libc function
// that hands it to the kernel is therefore wrapped in threads.cc, create.cc and clocks.cc.
#pragma once
#include <pthread.h>
#include <stdint.h>

namespace cairn::pid {

/// Finds the place by the calling thread, which must be one of libc's. 0 or -errno.
int32_t find_tid_word();

/// libc's tid of a thread; NULL if the place is unknown. The kernel writes 0 there when the thread ends.
int32_t* tid_word(pthread_t thread);

/// The virtual tid of a thread that has its real one in libc's word for the time of a call (lent.h); 0: it has not.
int32_t lent_id(pthread_t thread);

/// True if libc's tid of that thread is not the kernel's: libc's own functions would miss it. *real is the kernel's.
bool is_renamed(pthread_t thread, int32_t* real);

}  // namespace cairn::pid
