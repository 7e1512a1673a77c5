// Owns: words of priority-inheriting futexes that a program uses by syscall(2), without a mutex of libc's around them.
// The program writes its thread's virtual id into a free word and takes it out again; the kernel writes and compares real ones.
// So a word without FUTEX_WAITERS has a virtual id, and one with it a real one: wrappers make the one of the other before a thread waits,
// and give a word that the kernel has taken for the thread its virtual id. With FUTEX_WAITERS the program cannot unlock without the
// kernel; while others wait, it sees the real id there.
// Words for which a thread has waited are noted, so that a restart finds those with real ids. The kernel does not tell them: a word that is
// used by system calls which are no calls of a function of libc is not known.
// [any] unless said otherwise; lock-free. Test: test/probes/threads/raw_inherits.c.
#pragma once
#include <stdint.h>

namespace cairn::pid {

/// True if the call is one on such a word and was made here.
bool call_on_pi_word(long number, const long* a, long* result);

/// [quiesced] Whose the noted words are.
int32_t remember_pi_words();
/// [restoring] When all memory is there, also what processes share: they get the ids of today.
void translate_pi_words();
/// [restoring] After that, in all processes: one for which a thread waits.
void find_awaited_pi_word(uint64_t address);

}  // namespace cairn::pid
