// Owns: which threads have their real id in libc's word of their tid just now, for a call that hands it to the kernel
// (mutexes.cc). Everybody else who asks for such a thread's tid is told its virtual one.
// A thread that waits on a condition with a robust or priority-inheriting mutex takes the mutex when it is woken, with what
// libc's word says then. If it began to wait before the first restart no wrapper of ours is below it: it is lent its real id by the restart, and
// gives it back in the first wrapper that it calls, which is to unlock that mutex at the latest.
// [any] unless said otherwise, lock-free. Tests: test/probes/threads/kernel_mutex_waiters.c, condition_stack.c.
#pragma once
#include <pthread.h>
#include <stdint.h>

extern "C" {
// libc's older way of registering a function for a thread's cancellation: it needs nothing of the C++ runtime.
void _pthread_cleanup_push(struct _pthread_cleanup_buffer* buffer, void (*function)(void*), void* argument);
void _pthread_cleanup_pop(struct _pthread_cleanup_buffer* buffer, int execute);
}

namespace cairn::pid {

struct Lent {
  uint64_t thread;
  int32_t virtual_id;
  uint32_t by_restart;
};

/// Null: all places are taken; the thread then goes unnoticed, which matters only if its real id is another one's virtual id.
Lent* lend(pthread_t thread, int32_t virtual_id, int32_t real, bool by_restart);
void give_back(Lent* place, pthread_t thread, int32_t virtual_id);

/// What a restart lent to this thread: it is out of the call for which that was.
extern uint32_t lent_by_restarts;
void give_back_own();
inline void leave_lent() {
  if (__builtin_expect(__atomic_load_n(&lent_by_restarts, __ATOMIC_ACQUIRE) != 0, false)) give_back_own();
}

/// A new thread may lie where one was that never gave back.
void forget_lent(pthread_t thread);

/// [init] In one of libc's threads.
void find_thread_descriptor();
/// libc's descriptor of a thread, which has a pointer to itself behind two others; 0: it is none of libc's, or not known.
pthread_t thread_descriptor(int32_t real);
/// [restoring] With the ids of today in the tables.
void lend_to_sleepers();
/// [restoring] When the memory that processes share is one again: what sleepers will write into their mutexes is of this life.
void renew_for_sleepers();

}  // namespace cairn::pid
