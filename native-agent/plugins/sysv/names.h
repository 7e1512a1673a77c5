// Owns: the virtual names of System V objects: the id and key that the application knows, in the shared names of the session, so
// that all processes agree. Until a first restart an id is its own name, and only what the computation has made is noted.
// [any] Lock-free; no allocation. Invariant: a virtual id stands for at most one real one; a key that somebody else has is
// "shadowed": inside the computation it stands for our object, and the kernel's is never looked at. Tests: test/probes (sysv).
#pragma once
#include <errno.h>
#include <stdint.h>

#include "cairn/plugin.h"
#include "common/handles.h"
#include "common/kernel.h"
#include "common/next.h"

namespace cairn::sysv {

extern const cairn_host* host;

/// One kind of object has one set of spaces of the shared names.
struct Spaces {
  uint32_t ids;       // virtual -> real
  uint32_t reals;     // and back
  uint32_t owned;     // virtual id of what the computation has made -> virtual pid of its maker
  uint32_t shadowed;  // key -> virtual id, or none
  uint32_t keys;      // virtual id of what has a shadowed key -> that key
  uint32_t savers;    // virtual id -> who saves it
  uint32_t before;    // real id at the checkpoint -> virtual, for calls that begin again
};
inline constexpr Spaces segments = {plugin::name_space("sysv.shm.id"),  plugin::name_space("sysv.shm.real"),
                                    plugin::name_space("sysv.shm.own"), plugin::name_space("sysv.shm.shadow"),
                                    plugin::name_space("sysv.shm.key"), plugin::name_space("sysv.shm.saver"),
                                    plugin::name_space("sysv.shm.before")};
inline constexpr Spaces semaphores = {plugin::name_space("sysv.sem.id"),  plugin::name_space("sysv.sem.real"),
                                      plugin::name_space("sysv.sem.own"), plugin::name_space("sysv.sem.shadow"),
                                      plugin::name_space("sysv.sem.key"), plugin::name_space("sysv.sem.saver"),
                                      plugin::name_space("sysv.sem.before")};
inline constexpr Spaces queues = {plugin::name_space("sysv.msg.id"),  plugin::name_space("sysv.msg.real"),
                                  plugin::name_space("sysv.msg.own"), plugin::name_space("sysv.msg.shadow"),
                                  plugin::name_space("sysv.msg.key"), plugin::name_space("sysv.msg.saver"),
                                  plugin::name_space("sysv.msg.before")};

constexpr int64_t none = -1;

/// From the first restart on, in every process and program of the computation.
bool active();
void activate();

int32_t to_real(const Spaces& spaces, int32_t virtual_id);
/// A real id that has no virtual one gets one.
int32_t to_virtual(const Spaces& spaces, int32_t real_id);
/// Forgets what is no more.
void forget(const Spaces& spaces, int32_t virtual_id);
/// In a restarted computation: this virtual id is now that real one. key: of a shadowed one, else 0. 0 or -errno.
int32_t bind(const Spaces& spaces, int32_t virtual_id, int32_t before, int32_t real_id, int32_t maker, int32_t key);
/// [restoring] Calls that begin again, and hold the real id of before, get the one of now.
void correct_calls();
/// [init] In a program that was attached: what it has made before.
void note_present();
/// [any] Extension "cairn.sysv/1".
int32_t system_call(int64_t number, const int64_t* arguments, int64_t* result);
/// The virtual id of a process.
int32_t virtual_process(int32_t real_pid);

template <typename... Arguments>
inline int64_t sys(long number, Arguments... arguments) {
  return plugin::call(host, number, arguments...);
}
/// semop(2), which i386 has only with a time to wait for (nullptr: any).
#ifdef SYS_semop
inline constexpr long operate_call = SYS_semop;
#else
inline constexpr long operate_call = SYS_semtimedop_time64;
#endif
inline long pointer(const void* address) { return reinterpret_cast<long>(address); }

/// A function of the libraries below Cairn; looked up in init, or earlier where another library's constructor calls it.
template <typename Function>
using Next = plugin::Next<host, Function>;

}  // namespace cairn::sysv
