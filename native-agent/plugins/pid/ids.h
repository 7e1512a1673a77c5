// Owns: the tables of virtual ids: processes and threads (one space of numbers), process groups, sessions.
// [any], lock-free: an entry is one 64-bit word, put and removed by compare-and-swap. Until the first restart `active` is
// false, the tables are empty and every number is itself. Held by tests/pid_plugin_test.cc.
#pragma once
#include <stdint.h>

namespace cairn::pid {

enum class Space : uint32_t { id, group, session };  // as the lists in ids.cc are ordered
enum class Kind : uint32_t { none, self, thread, parent, other, group, session };

struct Entry {
  int32_t virtual_id;
  int32_t real_id;
  Kind kind;
};

/// Numbers from here on are given where a real id equals a virtual one in use; the kernel hands out none of them.
constexpr int32_t first_made_id = 1 << 22;

/// Ids of the computation's hosts do not meet: those of host n begin at n of these, and what is made is made within them. On the first
/// host a number that is free is itself; on others every id but 0 and 1 has another name from the start.
constexpr int32_t ids_of_host = 1 << 25;
extern int32_t first_id_of_host;

extern bool active_flag;
inline bool active() { return __builtin_expect(__atomic_load_n(&active_flag, __ATOMIC_RELAXED), false); }

/// Counts restarts. A thread may be stopped between a translation and the system call that it is for, and go on in another
/// process, where the real id is wrong: see stable() and settled().
extern uint32_t generation_count;
inline uint32_t generation() { return __atomic_load_n(&generation_count, __ATOMIC_ACQUIRE); }

/// Runs a call that takes real ids; again if it failed and a restart came between.
template <typename Call>
auto stable(Call call) {
  for (;;) {
    uint32_t before = generation();
    auto result = call();
    if (__builtin_expect(result >= 0 || generation() == before, true)) return result;
  }
}
/// Runs a call that asks for ids and translates them; again if a restart came between.
template <typename Call>
auto settled(Call call) {
  for (;;) {
    uint32_t before = generation();
    auto result = call();
    if (__builtin_expect(generation() == before, true)) return result;
  }
}

int32_t to_real(Space space, int32_t virtual_id);
/// May give a foreign id a virtual name of its own. `reaped`: the process may have been waited for already.
int32_t to_virtual(Space space, int32_t real_id, bool reaped = false);

inline int32_t real_of(int32_t id) { return active() ? to_real(Space::id, id) : id; }
inline int32_t real_group(int32_t id) { return active() ? to_real(Space::group, id) : id; }

/// The real id of a child that may be waited for. Neither a thread nor this process is one, so that such a number means itself.
int32_t real_child(int32_t id);

/// The argument of kill(2) and its like: a group is a negative number; 0 and -1 mean what they mean.
int32_t real_target(int32_t target);

/// Makes a name known to all processes of the computation on this host, and forgotten again.
void share(Space space, int32_t virtual_id, int32_t real_id);
void unshare(Space space, int32_t virtual_id);
/// Of a process that has just begun. Not where all come to its name by themselves: as many as are ever started have no place in the table.
void share_process(int32_t virtual_id, int32_t real_id);
/// Whether a process of the computation has this real id, or one had it, as far as is known.
bool is_member(int32_t real_id);

/// [quiesced] Notes the real ids that processes have now, for calls that give one of them after a restart.
void remember_real_ids();
/// The name of a child whose real id a call gave that began when generation() was `before`.
int32_t child_name(int32_t real_id, uint32_t before);

bool insert(Space space, Entry entry);
void remove_virtual(Space space, int32_t virtual_id);
void clear_tables();
/// The index-th entry of a table; false behind the last. An empty place has Kind::none.
bool entry_at(Space space, uint32_t index, Entry* entry);

/// This process. Its parent may be a name that must not be used the other way round (1 or 0), so it stands apart.
void set_self(int32_t virtual_id, int32_t real_id);
void set_parent(int32_t virtual_id, int32_t real_id);
int32_t self_real();
int32_t self_virtual();
int32_t virtual_parent(int32_t real_id);

/// The calling thread's virtual id.
int32_t own_tid();

}  // namespace cairn::pid
