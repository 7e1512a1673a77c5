// Owns: the tables of virtual ids; see ids.h.
#include "pid/ids.h"

#include <errno.h>

#include "pid/host.h"

namespace cairn::pid {

bool active_flag = false;
uint32_t generation_count = 0;
int32_t first_id_of_host = 0;

namespace {

constexpr uint32_t id_bits = 30;
constexpr uint64_t id_mask = (uint64_t{1} << id_bits) - 1;
constexpr uint32_t capacity_of_ids = 32768;
constexpr uint32_t capacity_of_groups = 256;

// kind, virtual and real in one word, so that a reader never sees half an entry; 0: the place is free.
uint64_t ids[capacity_of_ids];
uint64_t groups[capacity_of_groups];
uint64_t sessions[capacity_of_groups];

struct Table {
  uint64_t* words;
  uint32_t capacity;
  uint32_t used;  // no entry at this place or behind it
};
Table tables[] = {{ids, capacity_of_ids, 0}, {groups, capacity_of_groups, 0}, {sessions, capacity_of_groups, 0}};

uint64_t self_word;
uint64_t parent_word;

uint64_t pack(Entry entry) {
  return (uint64_t{static_cast<uint32_t>(entry.kind)} << (2 * id_bits)) |
         ((static_cast<uint64_t>(static_cast<uint32_t>(entry.virtual_id)) & id_mask) << id_bits) |
         (static_cast<uint64_t>(static_cast<uint32_t>(entry.real_id)) & id_mask);
}
Entry unpack(uint64_t word) {
  return {static_cast<int32_t>((word >> id_bits) & id_mask), static_cast<int32_t>(word & id_mask),
          static_cast<Kind>(word >> (2 * id_bits))};
}

Table& table_of(Space space) { return tables[static_cast<uint32_t>(space)]; }
uint64_t load(const uint64_t* word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

/// An entry outlives what it names: a thread ends without telling. The kernel knows.
bool alive(Entry entry) {
  switch (entry.kind) {
    case Kind::thread: return raw(SYS_tgkill, self_real(), entry.real_id, 0) != -ESRCH;
    case Kind::parent:
    case Kind::other: return raw(SYS_kill, entry.real_id, 0) != -ESRCH;
    default: return true;
  }
}

uint64_t* find(Table& table, bool by_virtual, int32_t number, Entry* found) {
  uint32_t used = __atomic_load_n(&table.used, __ATOMIC_ACQUIRE);
  for (uint32_t at = 0; at < used; ++at) {
    uint64_t word = load(&table.words[at]);
    if (word == 0) continue;
    Entry entry = unpack(word);
    if ((by_virtual ? entry.virtual_id : entry.real_id) != number) continue;
    *found = entry;
    return &table.words[at];
  }
  return nullptr;
}

void drop(uint64_t* place, Entry entry) {
  uint64_t expected = pack(entry);
  __atomic_compare_exchange_n(place, &expected, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/// The living entry that has this number.
bool find_alive(Table& table, bool by_virtual, int32_t number, bool reaped, Entry* found) {
  while (uint64_t* place = find(table, by_virtual, number, found)) {
    if (reaped || alive(*found)) return true;
    drop(place, *found);
  }
  return false;
}

// ---- What other processes of the computation know: the host's shared names ---------------------------------------------

struct Spaces {
  uint32_t by_virtual;
  uint32_t by_real;
};
constexpr Spaces shared[] = {{CAIRN_NAMES_ID, CAIRN_NAMES_REAL_ID},
                             {CAIRN_NAMES_GROUP, CAIRN_NAMES_REAL_GROUP},
                             {CAIRN_NAMES_SESSION, CAIRN_NAMES_REAL_SESSION}};
const Spaces& spaces_of(Space space) { return shared[static_cast<uint32_t>(space)]; }

bool exists(Space space, int64_t real_id) {
  return raw(SYS_kill, space == Space::group ? -real_id : real_id, 0) != -ESRCH;
}

bool shared_real(Space space, int32_t virtual_id, int32_t* real_id) {
  int64_t value;
  if (host->get_name(spaces_of(space).by_virtual, virtual_id, &value) != 0) return false;
  *real_id = static_cast<int32_t>(value);
  return true;
}

bool shared_virtual(Space space, int32_t real_id, bool reaped, int32_t* virtual_id) {
  int64_t value;
  if (host->get_name(spaces_of(space).by_real, real_id, &value) != 0) return false;
  // A name outlives what it names; the number may be somebody else's by now.
  if (!reaped && space == Space::id && !exists(space, real_id)) {
    host->remove_name(spaces_of(space).by_real, real_id);
    return false;
  }
  *virtual_id = static_cast<int32_t>(value);
  return true;
}

/// Whether a living thing has this number for its virtual name. That of a process that is no more would stand before the one that has the
/// number for its own: it goes.
bool taken_elsewhere(Space space, int32_t virtual_id, int32_t but) {
  int32_t real_id;
  if (!shared_real(space, virtual_id, &real_id) || real_id == but) return false;
  if (space == Space::session || exists(space, real_id)) return true;
  if (space == Space::id) host->remove_name(spaces_of(space).by_virtual, virtual_id);
  return false;
}

/// What an id is called that nobody has given another name.
int32_t natural(int32_t real_id) { return real_id > 1 ? real_id + first_id_of_host : real_id; }
int32_t real_of_natural(int32_t virtual_id) {
  int32_t real_id = virtual_id - first_id_of_host;
  return real_id > 1 && real_id < first_made_id ? real_id : virtual_id;
}

/// A virtual name for a real id whose number is taken. Parent and child of a fork, which hold the same tables, come to the same one.
int32_t make_virtual(Space space, int32_t real_id) {
  Table& table = table_of(space);
  int64_t end = int64_t{first_id_of_host} + ids_of_host;
  for (int64_t made = int64_t{natural(real_id)} + first_made_id; made < end; made += first_made_id) {
    Entry holder;
    int32_t candidate = static_cast<int32_t>(made);
    if (find_alive(table, true, candidate, false, &holder) && holder.real_id != real_id) continue;
    if (taken_elsewhere(space, candidate, real_id)) continue;
    Kind kind = space == Space::id ? Kind::other : space == Space::group ? Kind::group : Kind::session;
    share(space, candidate, real_id);
    return insert(space, {candidate, real_id, kind}) ? candidate : natural(real_id);
  }
  return natural(real_id);
}

}  // namespace

int32_t to_real(Space space, int32_t virtual_id) {
  if (virtual_id <= 0 || !active()) return virtual_id;
  Entry entry;
  if (find(table_of(space), true, virtual_id, &entry) != nullptr) return entry.real_id;
  int32_t real_id;
  if (shared_real(space, virtual_id, &real_id)) return real_id;
  if (space == Space::id) return real_of_natural(virtual_id);
  if (find(table_of(Space::id), true, virtual_id, &entry) != nullptr) return entry.real_id;
  return shared_real(Space::id, virtual_id, &real_id) ? real_id : real_of_natural(virtual_id);
}

int32_t to_virtual(Space space, int32_t real_id, bool reaped) {
  if (real_id < 0 || (real_id == 0 && space == Space::id) || !active()) return real_id;
  Entry entry;
  int32_t virtual_id;
  if (find_alive(table_of(space), false, real_id, reaped, &entry)) return entry.virtual_id;
  if (shared_virtual(space, real_id, reaped, &virtual_id)) return virtual_id;
  if (space != Space::id && find_alive(table_of(Space::id), false, real_id, true, &entry)) return entry.virtual_id;
  if (space != Space::id && shared_virtual(Space::id, real_id, true, &virtual_id)) return virtual_id;
  if (real_id == 0) return 0;
  int32_t name = natural(real_id);
  bool taken = find_alive(table_of(space), true, name, false, &entry) || taken_elsewhere(space, name, real_id);
  if (!taken && space != Space::id) {
    taken = find_alive(table_of(Space::id), true, name, false, &entry) || taken_elsewhere(Space::id, name, real_id);
  }
  return taken ? make_virtual(space, real_id) : name;
}

int32_t real_child(int32_t id) {
  Entry entry;
  int32_t real_id;
  if (id <= 0 || !active()) return id;
  if (find(table_of(Space::id), true, id, &entry) != nullptr) return entry.kind == Kind::other ? entry.real_id : id;
  return shared_real(Space::id, id, &real_id) ? real_id : real_of_natural(id);
}

int32_t real_target(int32_t target) {
  if (!active() || target == 0 || target == -1 || target == INT32_MIN) return target;
  return target > 0 ? to_real(Space::id, target) : -to_real(Space::group, -target);
}

// In the image: the processes at the last checkpoint.
struct Pair {
  int32_t virtual_id;
  int32_t real_id;
};
static Pair* remembered = nullptr;
static uint32_t remembered_count = 0;
static uint32_t remembered_capacity = 0;

void remember_real_ids() {
  uint32_t index = 0, count = 0;
  int64_t virtual_id, real_id;
  while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) ++count;
  if (count > remembered_capacity) {
    remembered_capacity = (count * 2 + 31) & ~1u;
    remembered = static_cast<Pair*>(host->allocate(uint64_t{remembered_capacity} * sizeof(Pair)));
  }
  remembered_count = index = 0;
  while (remembered != nullptr && remembered_count < remembered_capacity &&
         host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
    remembered[remembered_count++] = {static_cast<int32_t>(virtual_id), static_cast<int32_t>(real_id)};
  }
}

int32_t child_name(int32_t real_id, uint32_t before) {
  if (!active() || real_id <= 0) return real_id;
  if (generation() == before) return to_virtual(Space::id, real_id);
  for (uint32_t i = 0; i < remembered_count; ++i) {
    if (remembered[i].real_id == real_id) return remembered[i].virtual_id;
  }
  // One that had ended by then: until the first restart every number has its natural name.
  int32_t now;
  return shared_real(Space::id, natural(real_id), &now) ? natural(real_id) : to_virtual(Space::id, real_id, true);
}

void share(Space space, int32_t virtual_id, int32_t real_id) {
  host->set_name(spaces_of(space).by_virtual, virtual_id, real_id);
  host->set_name(spaces_of(space).by_real, real_id, virtual_id);
}

void share_process(int32_t virtual_id, int32_t real_id) {
  if (virtual_id != natural(real_id)) share(Space::id, virtual_id, real_id);
}

bool is_member(int32_t real_id) {
  int64_t known;
  if (host->get_name(CAIRN_NAMES_REAL_ID, real_id, &known) == 0) return true;
  return host->get_name(CAIRN_NAMES_PROCESS, natural(real_id), &known) == 0 && known == real_id;
}

void unshare(Space space, int32_t virtual_id) {
  int32_t real_id;
  if (!shared_real(space, virtual_id, &real_id)) return;
  host->remove_name(spaces_of(space).by_virtual, virtual_id);
  host->remove_name(spaces_of(space).by_real, real_id);
}

bool insert(Space space, Entry entry) {
  Table& table = table_of(space);
  uint64_t word = pack(entry);
  for (uint32_t at = 0; at < table.capacity; ++at) {
    uint64_t expected = 0;
    if (!__atomic_compare_exchange_n(&table.words[at], &expected, word, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    uint32_t used = __atomic_load_n(&table.used, __ATOMIC_ACQUIRE);
    while (used < at + 1 && !__atomic_compare_exchange_n(&table.used, &used, at + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
    }
    return true;
  }
  return false;
}

void remove_virtual(Space space, int32_t virtual_id) {
  Entry entry;
  while (uint64_t* place = find(table_of(space), true, virtual_id, &entry)) drop(place, entry);
}

void clear_tables() {
  for (Table& table : tables) {
    for (uint32_t at = 0; at < table.used; ++at) __atomic_store_n(&table.words[at], 0, __ATOMIC_RELEASE);
    __atomic_store_n(&table.used, 0, __ATOMIC_RELEASE);
  }
}

bool entry_at(Space space, uint32_t index, Entry* entry) {
  Table& table = table_of(space);
  if (index >= __atomic_load_n(&table.used, __ATOMIC_ACQUIRE)) return false;
  *entry = unpack(load(&table.words[index]));
  return true;
}

void set_self(int32_t virtual_id, int32_t real_id) {
  __atomic_store_n(&self_word, pack({virtual_id, real_id, Kind::self}), __ATOMIC_RELEASE);
}
void set_parent(int32_t virtual_id, int32_t real_id) {
  __atomic_store_n(&parent_word, pack({virtual_id, real_id, Kind::parent}), __ATOMIC_RELEASE);
}
int32_t self_real() { return unpack(load(&self_word)).real_id; }
int32_t self_virtual() { return unpack(load(&self_word)).virtual_id; }

int32_t virtual_parent(int32_t real_id) {
  Entry parent = unpack(load(&parent_word));
  return parent.kind == Kind::parent && parent.real_id == real_id ? parent.virtual_id : to_virtual(Space::id, real_id);
}

int32_t own_tid() {
  // A thread's virtual id is its own for life, so what it once found stays right as long as the real one is the same.
  static thread_local uint64_t known;
  return settled([] {
    int32_t real = static_cast<int32_t>(raw(SYS_gettid));
    if (!active()) return real;
    uint64_t word = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (static_cast<int32_t>(word & id_mask) == real) return unpack(word).virtual_id;
    uint32_t before = generation();
    int32_t found = to_virtual(Space::id, real);
    // `real` may be of the time before a restart: then it is somebody else's.
    if (generation() == before && raw(SYS_gettid) == real) __atomic_store_n(&known, pack({found, real, Kind::thread}), __ATOMIC_RELAXED);
    return found;
  });
}

}  // namespace cairn::pid
