// Owns: the ids in the words of robust and of priority-inheriting mutexes, which are the kernel's: it compares them with its own
// in FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, and for every entry of a thread's robust list when that thread ends.
// A restart makes real ids of those that it can find: on robust lists, and in the words on which threads wait for a
// priority-inheriting mutex. The others are found when somebody next uses the mutex. Which ids a word has is written in
// the mutex: `__elision`, which libc does not use for these kinds, is the number of restarts that its words have been through,
// so that an id that was real in an earlier life is not taken for another thread's of today.
// Not resolved: a thread that waited for a robust mutex at the checkpoint writes its id of then when it gets it; where that
// number is a living thread's today, and the mutex is not unlocked by its holder but left behind, nobody learns of that.
// [any] unless said otherwise; not for signal handlers, as little as libc's functions are. Test: test/probes/threads.
#pragma once
#include <pthread.h>
#include <stdint.h>

namespace cairn::pid {

constexpr int kind_robust = 16;
constexpr int kind_inherits = 32;

inline bool has_kernel_ids(const pthread_mutex_t* mutex) {
  int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED);
  return __builtin_expect(kind > 0 && (kind & (kind_robust | kind_inherits)) != 0, false);
}

/// A thread of the computation has this real id. What has a number that is a virtual id here, too, has another virtual one, which is
/// noted; a process that has nothing to do with us may have any number.
bool is_taken(int32_t real);

/// The words of an earlier life become those of today.
void renew_words(pthread_mutex_t* mutex);

/// What this thread wrote under another id of its own (a call that a checkpoint interrupted went on with it) becomes `real`.
void rename_owner(pthread_mutex_t* mutex, int32_t from, int32_t real);

/// A mutex that is held under a virtual id, by a thread that a checkpoint interrupted: under its real one from now on; and, where
/// that thread has ended since, given up as the kernel would have.
void find_owner(pthread_mutex_t* mutex);

/// The names of threads in the life that ends with this checkpoint. [restoring], before the count of restarts goes up.
void remember_life(const int32_t* virtual_and_real, uint32_t count);

/// [restoring] With the ids of today in the tables. saved_real: what a thread's real id was at the checkpoint, or 0.
/// When all memory is there, also what processes share.
void translate_held_mutexes(int32_t (*saved_real)(int32_t virtual_id));
/// [restoring] After that, in all processes: those for which threads wait in the kernel.
void translate_awaited_mutexes();

}  // namespace cairn::pid
