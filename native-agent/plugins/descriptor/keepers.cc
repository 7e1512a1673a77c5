// Which process brings an open file description back that several share: the one with the lowest virtual id. Each process finds
// that out by itself, as all are stopped. kcmp(2) tells whether two descriptors are one open file description.
// So that not every process looks into all others, each tells first what its descriptors lead to, in the shared names, as one list for
// each object; only those with the same object are compared. Where the names have no room for that all are looked into. [quiesced]
// Tests: test/probes (files, processes, pipes, sockets)
#include <errno.h>
#include <linux/kcmp.h>

#include "common/handles.h"
#include "descriptor/table.h"

namespace cairn::descriptor {
namespace {

// An object and a position in its list -> virtual pid and descriptor; an object -> a position from which on there is room.
constexpr uint32_t members = plugin::name_space("descriptor.members");
constexpr uint32_t ends = plugin::name_space("descriptor.ends");
constexpr uint32_t incomplete = plugin::name_space("descriptor.incomplete");  // key 0

// In which nothing is removed before all have looked: a list has no gaps.
int64_t told[max_descriptors];  // keys in `members`
uint32_t told_count = 0;
uint64_t snapshot = 0;  // another one has other keys, whatever a process of before has left

int64_t object_key(const OpenFile& file) { return static_cast<int64_t>(static_cast<uint64_t>(plugin::file_key(file.device, file.inode)) ^ snapshot); }
int64_t member_key(const OpenFile& file, uint32_t position) {
  return static_cast<int64_t>((static_cast<uint64_t>(object_key(file)) * 0x9e3779b97f4a7c15u) ^ (uint64_t{position} * 0xc2b2ae3d27d4eb4fu));
}

int32_t tell(const OpenFile& file) {
  int64_t own = int64_t{host->virtual_pid()} << 32 | file.fd, position = 0, holder = 0;
  if (host->get_name(ends, object_key(file), &position) < 0) position = 0;
  for (;; ++position) {
    int64_t key = member_key(file, static_cast<uint32_t>(position));
    int32_t result = host->claim_name(members, key, own, &holder);
    if (result == -EEXIST) continue;
    if (result == 0) told[told_count++] = key;
    return result < 0 ? result : host->set_name(ends, object_key(file), position + 1);
  }
}

struct Process {
  int32_t virtual_id;
  int32_t real_id;
};

/// 1: the other process's descriptor is this open file, 0: it is not.
int32_t is_same(const OpenFile& file, int32_t real_id, int32_t number) {
  long result = sys(SYS_kcmp, sys(SYS_getpid), real_id, KCMP_FILE, file.fd, number);
  if (result >= 0 || result == -ESRCH || result == -EBADF) return result == 0 ? 1 : 0;
  return host->fail(static_cast<int32_t>(result), "kcmp",
      "cannot find out which open files the processes share; this system forbids kcmp(2) among processes of one user (see cairn doctor). The computation runs on");
}

/// Whether a member of the list is this open file, and then keeps it.
int32_t compare_member(OpenFile* file, int64_t member) {
  int64_t real_id = 0;
  if (host->get_name(CAIRN_NAMES_PROCESS, member >> 32, &real_id) < 0) return 0;
  auto number = static_cast<int32_t>(member & 0xffffffff);
  int32_t result = is_same(*file, static_cast<int32_t>(real_id), number);
  if (result == 1) file->keeper = static_cast<int32_t>(member >> 32), file->keeper_fd = number;
  return result;
}

int32_t find_keeper(OpenFile* file) {
  int64_t least = int64_t{host->virtual_pid()} << 32, member = 0;
  for (uint32_t position = 0; host->get_name(members, member_key(*file, position), &member) == 0; ++position) {
    if (member < least) least = member;
  }
  if (least >> 32 == host->virtual_pid()) return 0;
  // Mostly all have it from there. Else each may have opened the object for itself.
  if (int32_t result = compare_member(file, least); result != 0) return result < 0 ? result : 0;
  int64_t found = int64_t{host->virtual_pid()} << 32;
  for (uint32_t position = 0; host->get_name(members, member_key(*file, position), &member) == 0; ++position) {
    if (member == least || member >= found) continue;
    int32_t result = compare_member(file, member);
    if (result < 0) return result;
    if (result == 1) found = member;
  }
  return 0;
}

// ---- where the names have no room ----

struct Look {
  Process other;
  uint32_t open;  // files that nobody else is known to have
};

int32_t compare(int32_t number, void* data) {
  auto* look = static_cast<Look*>(data);
  Text<64> path;
  path.add("/proc/").add(look->other.real_id).add("/fd/").add(number);
  struct stat64 status = {};
  if (sys(SYS_newfstatat, AT_FDCWD, pointer(path.text()), pointer(&status)) < 0) return 0;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    OpenFile* file = &table.files[i];
    if (file->place == Place::standard || file->keeper != host->virtual_pid()) continue;
    if (file->device != status.st_dev || file->inode != status.st_ino) continue;
    int32_t result = is_same(*file, look->other.real_id, number);
    if (result < 0) return result;
    if (result == 0) continue;
    file->keeper = look->other.virtual_id;
    file->keeper_fd = number;
    --look->open;
    break;
  }
  return look->open == 0 ? -EALREADY : 0;
}

int32_t look_into_all() {
  Look look = {};
  for (uint32_t i = 0; i < table.file_count; ++i) look.open += table.files[i].place != Place::standard ? 1 : 0;
  // In ascending order of ids, so that the first that has it is the one.
  int32_t done = 0;
  while (look.open > 0) {
    uint32_t index = 0;
    int64_t virtual_id, real_id;
    Process next = {host->virtual_pid(), 0};
    while (host->next_name(CAIRN_NAMES_PROCESS, &index, &virtual_id, &real_id) == 0) {
      if (virtual_id > done && virtual_id < next.virtual_id) next = {static_cast<int32_t>(virtual_id), static_cast<int32_t>(real_id)};
    }
    if (next.real_id == 0) return 0;
    done = next.virtual_id;
    look.other = next;
    int32_t result = for_each_descriptor(next.real_id, compare, &look);
    if (result < 0 && result != -EALREADY) return result;
  }
  return 0;
}

}  // namespace

int32_t tell_objects() {
  const char* id = nullptr;
  snapshot = host->setting(CAIRN_SETTING_SNAPSHOT, 0, &id) != nullptr && id != nullptr ? static_cast<uint64_t>(plugin::path_key(id)) : 0;
  for (uint32_t i = 0; i < table.file_count; ++i) {
    int32_t result = tell(table.files[i]);
    if (result == -ENOENT) return 0;  // no shared names, and nobody else
    if (result < 0) result = host->set_name(incomplete, 0, 1);
    if (result < 0) return host->fail(result, "names", "no room for what the computation's processes have open. The computation runs on");
  }
  return 0;
}

void forget_objects() {
  for (uint32_t i = 0; i < told_count; ++i) host->remove_name(members, told[i]);
  for (uint32_t i = 0; told_count > 0 && i < table.file_count; ++i) host->remove_name(ends, object_key(table.files[i]));
  if (told_count > 0) host->remove_name(incomplete, 0);
  told_count = 0;
}

void forget_told_before() { told_count = 0; }

int32_t find_keepers() {
  int64_t any = 0;
  if (host->get_name(incomplete, 0, &any) == 0) return look_into_all();
  for (uint32_t i = 0; i < table.file_count; ++i) {
    if (table.files[i].place == Place::standard) continue;
    if (int32_t error = find_keeper(&table.files[i]); error < 0) return error;
  }
  return 0;
}

}  // namespace cairn::descriptor
